// Loaded before a server (`--import`): its clock is CLOCK_SHIFT_MS ahead.
const shiftMs = Number(process.env["CLOCK_SHIFT_MS"]);
const TrueDate = Date;
const now = () => TrueDate.now() + shiftMs;

globalThis.Date = new Proxy(TrueDate, {
  construct: (target, args: unknown[], newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as object,
  get: (target, name, receiver) => (name === "now" ? now : Reflect.get(target, name, receiver)),
});

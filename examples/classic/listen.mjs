// Connects with a plain WebSocket and prints every frame: what any client in any language does. Needs Node.js 22.4 or newer, no package.
// Usage: node listen.mjs "$(npx xlvein url --account user_1)"
const [url] = process.argv.slice(2);
if (!url) {
  console.error('usage: node listen.mjs "ws://HOST/ws/connect?app_id=APP_KEY&token=JWT"');
  process.exit(2);
}

// 1000 is a normal end; 4000 to 4099 say: do not come back. 4202 asks for a new token, which this program does not have.
const isFinal = (code) => code === 1000 || (code >= 4000 && code <= 4099) || code === 4202;
let attempt = 0;

function connect() {
  const socket = new WebSocket(url);
  socket.addEventListener("open", () => {
    attempt = 0;
    console.error("connected");
  });
  socket.addEventListener("message", ({ data }) => console.log(data));
  socket.addEventListener("close", ({ code }) => {
    if (isFinal(code)) {
      console.error(`closed for good: ${code}`);
      process.exitCode = 1;
      return;
    }
    // Full jitter: a random wait below a bound that doubles from 1 s to 20 s, so that a thousand clients do not come back together.
    const waitMs = Math.random() * Math.min(20_000, 1_000 * 2 ** attempt++);
    console.error(`closed: ${code}; trying again in ${Math.round(waitMs)} ms`);
    setTimeout(connect, waitMs);
  });
}

connect();

// What went wrong with RabbitMQ, in a few words, and whether trying again can help.
import { disagreement } from "./rabbitmq-mark.ts";

interface Parts {
  readonly code: unknown;
  readonly message: string;
}

function partsOf(error: unknown): Parts {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return { code, message: typeof message === "string" ? message : "" };
}

/** Without credentials. */
export function describe(error: unknown): string {
  const { code, message } = partsOf(error);
  if (message.startsWith("Expected ConnectionOpenOk")) return "the virtual host is missing, down, not permitted or full";
  const sentence = disagreement(message) ?? describeTls(code, message);
  if (sentence !== undefined) return sentence;
  if (typeof code === "string" && (message === "" || code.startsWith("E"))) return code;
  return message.slice(0, 200) || "unknown error";
}

/** Whether trying again is useless until somebody changes the configuration or the broker: a password, a right, a certificate, an exchange of another type, a number of buckets. */
export function isRefusal(error: unknown): boolean {
  const { code, message } = partsOf(error);
  return code === 403 || code === 406 || message.includes("(ACCESS-REFUSED)") || describeTls(code, message) !== undefined;
}

/** A certificate that one side does not accept: Node.js names it by OpenSSL's words. */
function describeTls(code: unknown, message: string): string | undefined {
  if (typeof code !== "string") return undefined;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return "the certificate is for another host";
  if (/^ERR_SSL_.*ALERT.*(CERTIFICATE|UNKNOWN_CA)/.test(code)) return `our certificate is missing or refused, see exchange.tls.cert: ${code}`;
  if (!code.startsWith("ERR_") && /CERT|SIGNED|SIGNATURE|INVALID_CA/.test(code)) return `the certificate is not trusted, see exchange.tls.ca: ${message}`;
  return undefined;
}

// Tokens of the fake server: JWTs in form. Nobody checks the signature, so those of a real backend do, too.

export interface Claims {
  readonly sub?: string;
  readonly aud?: string;
  readonly room?: string;
  /** Seconds since 1970. */
  readonly exp?: number;
  readonly rooms?: readonly string[];
  readonly can?: readonly string[];
}

const LEEWAY_SECONDS = 5;

export function makeToken(claims: Claims): string {
  const part = (value: object) => {
    const binary = String.fromCharCode(...new TextEncoder().encode(JSON.stringify(value)));
    return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  };
  return `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}.fake`;
}

/** Undefined: not a token, without an account, or expired. */
export function readToken(token: unknown, nowMs: number): (Claims & { readonly sub: string }) | undefined {
  try {
    const binary = atob((token as string).split(".")[1]?.replaceAll("-", "+").replaceAll("_", "/") as string);
    const claims = JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)))) as Claims & { sub: string };
    const inTime = claims.exp === undefined || (claims.exp + LEEWAY_SECONDS) * 1000 > nowMs;
    return typeof claims.sub === "string" && claims.sub && inTime ? claims : undefined;
  } catch {
    return undefined;
  }
}

// The proofs that the command line gives: connect tokens, API tokens and the classic sign.
import { randomUUID } from "node:crypto";
import jwt from "jsonwebtoken";
import type { Right } from "../apps/app.ts";
import { API_AUDIENCE } from "../auth/jwt.ts";
import { classicSign } from "../auth/sign.ts";
import type { CliApp } from "./target.ts";

/** A token of the HTTP API lives just long enough for one request. */
const API_TOKEN_SECONDS = 60;

/** Claims of a connect token that may be left out. */
export interface ConnectClaims {
  readonly rooms?: readonly string[] | undefined;
  readonly can?: readonly Right[] | undefined;
}

/** A connect token; `expiresAt` in seconds since 1970. */
export function connectToken(app: CliApp, account: string, lifetimeSeconds: number, { rooms, can }: ConnectClaims = {}): { token: string; expiresAt: number } {
  const expiresAt = Math.floor(Date.now() / 1000) + lifetimeSeconds;
  const claims = { sub: account, exp: expiresAt, ...(rooms && { rooms }), ...(can && { can }) };
  return { token: jwt.sign(claims, app.secret, { algorithm: app.algorithm }), expiresAt };
}

/** A bearer token for one call of the HTTP API. */
export function apiToken({ key, secret, algorithm }: CliApp): string {
  return jwt.sign({ iss: key, aud: API_AUDIENCE, jti: randomUUID() }, secret, { algorithm, expiresIn: API_TOKEN_SECONDS });
}

/** The form of a classic push with its sign. */
export function signedPush({ key, secretText }: CliApp, account: string, message: string): URLSearchParams {
  const fields = { app_key: key, message, nonce: randomUUID(), send_to: account };
  return new URLSearchParams({ ...fields, sign: classicSign(fields, secretText) });
}

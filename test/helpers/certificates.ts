// Certificates made by openssl for a test: an authority of our own, and what it signs.
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { promisify } from "node:util";

/** Paths of PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface Authority {
  /** Path of its certificate. */
  readonly ca: string;
  /** Where its files are; gone after the test. */
  readonly directory: string;
  /** Signs a certificate for 127.0.0.1, or another `host` (`IP:…`, `DNS:…`), that proves a server as well as a client. */
  issue(name: string, host?: string): Promise<Certificate>;
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

export async function createAuthority(t: Pick<TestContext, "after">): Promise<Authority> {
  const directory = await mkdtemp(join(tmpdir(), "xlvein-certificates-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const sign = async (name: string, ...more: string[]): Promise<Certificate> => {
    const [cert, key] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)];
    const subject = ["-subj", `/CN=xlvein test ${name}`, "-days", "2"];
    await promisify(execFile)("openssl", ["req", "-x509", ...NEW_KEY, ...subject, "-keyout", key, "-out", cert, ...more]);
    return { cert, key };
  };
  const own = await sign("authority");
  return {
    ca: own.cert,
    directory,
    issue: (name, host = "IP:127.0.0.1") =>
      sign(name, "-CA", own.cert, "-CAkey", own.key, "-addext", `subjectAltName=${host}`, "-addext", "basicConstraints=critical,CA:FALSE"),
  };
}

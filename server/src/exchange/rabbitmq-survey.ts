// A look at RabbitMQ that changes nothing: whether one of the addresses lets us in, and its version.
import type { BrokerTlsFiles } from "../config/config.ts";
import { readTlsFiles } from "../redis/options.ts";
import { endConnection, openConnection } from "./rabbitmq-connect.ts";
import { describe } from "./rabbitmq-errors.ts";

export interface RabbitmqSurvey {
  /** `host:port` and the vhost, without credentials. */
  readonly name: string;
  /** Why there is no connection. */
  readonly problem?: string;
  /** `RabbitMQ 4.3.5`. */
  readonly server?: string;
}

/** Asks every address; never rejects for one that is away. */
export async function surveyRabbitmq(urls: readonly string[], tls: BrokerTlsFiles | undefined): Promise<RabbitmqSurvey[]> {
  const pem = readTlsFiles(tls);
  return Promise.all(urls.map((url) => surveyOne(url, pem)));
}

async function surveyOne(url: string, tls: ReturnType<typeof readTlsFiles>): Promise<RabbitmqSurvey> {
  const { host, pathname } = new URL(url);
  const vhost = decodeURIComponent(pathname.slice(1));
  const name = vhost === "/" || vhost === "" ? host : `${host}, vhost ${vhost}`;
  try {
    const connection = await openConnection({ url, name: "doctor", heartbeatSeconds: 5, tls });
    const { product, version } = connection.connection.serverProperties;
    await endConnection(connection);
    return { name, server: `${product} ${version}` };
  } catch (error) {
    return { name, problem: describe(error) };
  }
}

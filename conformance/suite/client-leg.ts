/**
 * The client leg: the suite plays servers, and the client it checks is this gateway. The command it starts registers the
 * server with a gateway that runs all along, and calls through it.
 */
import { join } from 'node:path'
import { startGateway } from '../harness/gateway-process.ts'
import { clientConfig, nowhere, type ClientPlace } from './client-place.ts'
import { checkClient, required, type Check, type Ran, type Revision } from './suite.ts'

/** One scenario after the other: each has the configuration of the gateway to itself. */
export async function ranAsClient(revision: Revision, extras: readonly string[]): Promise<Ran> {
  await using gateway = await startGateway({ config: clientConfig(nowhere) })
  const place: ClientPlace = { url: gateway.url, configPath: gateway.configPath }
  const command = `${process.execPath} --disable-warning=ExperimentalWarning ${join(import.meta.dirname, 'client-command.ts')}`
  const ran = new Map<string, readonly Check[]>()
  for (const scenario of [...(await required(revision, 'client')), ...extras]) {
    const checked = await checkClient(command, scenario, revision, { TURNWARD_SUITE_PLACE: JSON.stringify(place) })
    ran.set(scenario, [...checked.values()].flat())
  }
  return ran
}

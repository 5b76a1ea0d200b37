/**
 * The client leg: the suite plays servers, and the client it checks is this gateway. The command it starts registers the
 * server with a gateway that runs all along, and calls through it.
 */
import { join } from 'node:path'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startGateway } from '../harness/gateway-process.ts'
import { startIdentityProvider } from '../harness/identity-provider.ts'
import { clientConfig, nowhere, publicUrl, type ClientPlace } from './client-place.ts'
import { checkClient, required, type Check, type Ran, type Revision } from './suite.ts'

/** One scenario after the other: each has the configuration of the gateway to itself. */
export async function ranAsClient(revision: Revision, extras: readonly string[]): Promise<Ran> {
  const port = await freePort()
  await using people = await startIdentityProvider({ redirectUris: [`${publicUrl(port)}/sign-in/people/callback`] })
  people.signsIn('alice')
  const settings = { port, issuer: people.issuer, client: people.gatewayClient }
  await using gateway = await startGateway({ config: clientConfig(nowhere, settings) })
  const token = await people.accessToken('alice')
  const place: ClientPlace = { url: gateway.url, configPath: gateway.configPath, token, settings }
  const command = `${process.execPath} --disable-warning=ExperimentalWarning ${join(import.meta.dirname, 'client-command.ts')}`
  const ran = new Map<string, readonly Check[]>()
  for (const scenario of [...(await required(revision, 'client')), ...extras]) {
    const checked = await checkClient(command, scenario, revision, { TURNWARD_SUITE_PLACE: JSON.stringify(place) })
    ran.set(scenario, [...checked.values()].flat())
  }
  return ran
}

/** Pages that send browsers back have to be known before the gateway listens. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

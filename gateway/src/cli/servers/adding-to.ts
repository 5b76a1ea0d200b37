/** Where a server is added: what must hold before, and the text of the configuration with it. */
import { resolve } from 'node:path'
import { serverNameSchema } from '@turnward/contract/config/common'
import { withEntry, withItem } from '../../config/editing-text.ts'
import { loadConfig } from '../../config/load.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import { closest } from '../../core/closest-name.ts'
import { TurnwardError } from '../../core/error.ts'
import type { ConsentOptions } from './consent.ts'
import type { GivenValues } from './document-inputs.ts'

export interface AddOptions extends ConsentOptions {
  readonly config: string
  readonly name?: string
  readonly bin?: string
  readonly gateway?: string
  readonly mount: readonly string[]
  readonly network: readonly string[]
  readonly env: readonly string[]
  /** `NAME=VALUE`: what a registry document leaves open. */
  readonly set: readonly string[]
  readonly remote?: boolean
}

/** The configuration a server of this name can be added to. Throws `request.invalid`, ConfigError. */
export async function toAddTo(
  name: string,
  { config, gateway }: { readonly config: string; readonly gateway?: string },
): Promise<{ readonly main: string; readonly snapshot: Snapshot }> {
  const main = resolve(config)
  const snapshot = await loadConfig(main, process.env)
  checkName(snapshot, name)
  checkGateway(snapshot, gateway)
  return { main, snapshot }
}

function checkName(snapshot: Snapshot, name: string): void {
  const valid = serverNameSchema.safeParse(name)
  if (!valid.success)
    throw new TurnwardError('request.invalid', { subject: '--name', why: valid.error.issues[0]?.message ?? 'it cannot be used' })
  if (snapshot.servers.has(name))
    throw new TurnwardError('request.invalid', {
      subject: `servers.${name}`,
      why: 'there is a server of this name',
      fix: `Choose another with --name, or bring it up to date with \`turnward servers update ${name}\`.`,
    })
}

/** The first gateway there is may be made; beside others an unknown name is a mistyped one. */
export function checkGateway(snapshot: Snapshot, gateway: string | undefined): void {
  if (gateway === undefined || snapshot.gateways.has(gateway) || snapshot.gateways.size === 0) return
  const nearest = closest(gateway, [...snapshot.gateways.keys()])
  throw new TurnwardError('request.invalid', {
    subject: '--gateway',
    why: `there is no gateway \`${gateway}\`${nearest === undefined ? '' : `; did you mean \`${nearest}\`?`}`,
  })
}

/** From `NAME=VALUE`; one name may have several values. Throws `request.invalid`. */
export function givenValues(texts: readonly string[]): GivenValues {
  const given = new Map<string, readonly string[]>()
  for (const text of texts) {
    const at = text.indexOf('=', 1)
    if (at < 0) throw new TurnwardError('request.invalid', { subject: '--set', why: 'it is not `NAME=VALUE`' })
    const name = text.slice(0, at)
    given.set(name, [...(given.get(name) ?? []), text.slice(at + 1)])
  }
  return given
}

/** The variables an entry will refer to are there already, because a configuration with others is refused. Throws `request.invalid`. */
export function checkVariables(subject: string, variables: ReadonlyMap<string, string>): void {
  const missing = [...variables].filter(([name]) => process.env[name] === undefined)
  if (missing.length === 0) return
  throw new TurnwardError('request.invalid', {
    subject,
    why: `it needs secrets, which stay in the environment and are not set there: ${missing.map(([name, what]) => (what === '' ? name : `${name} (${what})`)).join(', ')}`,
    fix: `Set ${missing.map(([name]) => name).join(', ')} where this command and the gateway run, and run the command again.`,
  })
}

/** The text with the entry, and with the server shown by the gateway, which is made where it is missing. */
export function withServer(text: string, name: string, entry: object, { gateways }: Snapshot, gateway: string | undefined): string {
  const added = withEntry(text, 'servers', name, entry)
  if (gateway === undefined) return added
  return gateways.has(gateway)
    ? withItem(added, ['gateways', gateway, 'servers'], name)
    : withEntry(added, 'gateways', gateway, { servers: [name] })
}

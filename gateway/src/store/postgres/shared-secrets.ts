/**
 * What all replicas of an installation must know and nobody else: made once by whoever comes first, kept in the database
 * sealed under `cluster.secret`, so that a copy of the database alone opens nothing.
 */
import { TurnwardError } from '../../core/error.ts'
import { seal, unseal } from '../sealing.ts'
import type { PostgresConnections } from './pool.ts'

/** The secrets of a cluster: the present one, and earlier ones that may still open something. */
export interface ClusterSecrets {
  readonly current: string
  readonly previous: readonly string[]
}

/** The content under this name, made now when there is none. Rejects with `store.failed`, also when it was sealed under a secret that is not known. */
export async function sharedSecret(
  connections: PostgresConnections,
  secrets: ClusterSecrets,
  name: string,
  make: () => Uint8Array,
): Promise<Buffer> {
  const found = await read(connections, name)
  if (found !== undefined) return open(connections, secrets, name, found)
  await connections.query('insert into settings (name, value) values ($1, $2) on conflict (name) do nothing', [
    name,
    seal(secrets.current, name, make()),
  ])
  const made = await read(connections, name)
  if (made === undefined) throw new TurnwardError('store.failed', { subject: name, why: 'it was removed while it was made' })
  return open(connections, secrets, name, made)
}

async function read(connections: PostgresConnections, name: string): Promise<string | undefined> {
  const [row] = await connections.query<{ value: string }>('select value from settings where name = $1', [name])
  return row?.value
}

async function open(
  connections: PostgresConnections,
  { current, previous }: ClusterSecrets,
  name: string,
  sealed: string,
): Promise<Buffer> {
  const content = unseal(current, name, sealed)
  if (content !== undefined) return content
  for (const secret of previous) {
    const earlier = unseal(secret, name, sealed)
    if (earlier === undefined) continue
    // From now on the present secret opens it; whoever still has the earlier one alone must be given the new one as well.
    await connections.query('update settings set value = $2 where name = $1 and value = $3', [name, seal(current, name, earlier), sealed])
    return earlier
  }
  throw new TurnwardError('store.failed', {
    subject: name,
    why: 'it was sealed under another `cluster.secret`',
    fix: 'Give every replica the same `cluster.secret`; after a change, name the one before under `cluster.previous_secrets`.',
  })
}

/** Two ends of a link over a real socket, as a worker and the owner have them. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Link, type LinkHandler } from './link.ts'

type Handlers = Readonly<Record<string, LinkHandler>>

export interface LinkedPair {
  readonly worker: Link
  readonly owner: Link
  /** How often each end has heard that the link is over. */
  readonly ends: { worker: number; owner: number }
  /** What the worker writes to. */
  readonly socket: Socket
}

/** What each end answers. */
export async function linked(owner: Handlers, worker: Handlers = {}): Promise<LinkedPair> {
  const folder = mkdtempSync(join(tmpdir(), 'turnward-link-'))
  const server = createServer()
  try {
    server.listen(join(folder, 'link'))
    await once(server, 'listening')
    const accepted = once(server, 'connection') as Promise<[Socket]>
    const socket = connect(join(folder, 'link'))
    const [other] = await accepted
    const ends = { worker: 0, owner: 0 }
    return {
      worker: new Link({ socket, handlers: worker, onEnd: () => (ends.worker += 1) }),
      owner: new Link({ socket: other, handlers: owner, onEnd: () => (ends.owner += 1) }),
      ends,
      socket,
    }
  } finally {
    server.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

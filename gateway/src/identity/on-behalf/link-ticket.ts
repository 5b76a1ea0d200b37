/**
 * What stands in the address of a page that connects an account: for whom it was made, and what is to be connected. Whoever has it
 * can do nothing with it: the page asks who sits at the browser, and it must be that person.
 */
import { hkdfSync } from 'node:crypto'
import { z } from 'zod'
import { openBytes, sealBytes } from '../../core/sealed-bytes.ts'

export interface LinkTicket {
  /** Principal id. */
  readonly person: string
  readonly server: string
  /** Scopes that are wanted, where a server has asked for more than it was shown. */
  readonly scopes?: readonly string[] | undefined
  /** Unix milliseconds. */
  readonly expires: number
}

/** Somebody must read a message, open a page and sign in. */
export const ticketLifeMs = 15 * 60_000
const longest = 8192

const ticketSchema = z.object({ person: z.string(), server: z.string(), scopes: z.array(z.string()).optional(), expires: z.number() })
const boundTo = Buffer.from('link-ticket')
const keys = new WeakMap<Uint8Array, Buffer>()

function keyOf(secret: Uint8Array): Buffer {
  let key = keys.get(secret)
  if (key === undefined)
    keys.set(secret, (key = Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), 'turnward/identity/link-ticket', 32))))
  return key
}

/** `secret`: that of the store. */
export function sealTicket(secret: Uint8Array, ticket: LinkTicket): string {
  return sealBytes(keyOf(secret), boundTo, Buffer.from(JSON.stringify(ticket)))
}

/** Undefined for what was not made here, or is too old. `now`: Unix milliseconds. */
export function openTicket(secret: Uint8Array, text: string, now: number): LinkTicket | undefined {
  const content = text.length > longest ? undefined : openBytes(keyOf(secret), boundTo, text)
  if (content === undefined) return undefined
  const ticket = ticketSchema.parse(JSON.parse(content.toString('utf8')))
  return ticket.expires > now ? ticket : undefined
}

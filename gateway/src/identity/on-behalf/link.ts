/**
 * The account of a person at an MCP server, as it is kept: who may use it is said by where it is kept, and what may be shown it is
 * written into it.
 */
import { z } from 'zod'
import type { McpServer } from '../../config/snapshot.ts'
import { keyedHash } from '../../core/hash.ts'
import type { SecretPlace } from '../../store/sealed-secrets.ts'

/** Tokens of an authorization server, and what they are renewed with. Times are Unix milliseconds. */
export interface LinkTokens {
  readonly access: string
  readonly refresh?: string | undefined
  /** When `access` expires; absent where nothing was said. */
  readonly expires?: number | undefined
  /** Scopes that were given, separated by spaces; absent where nothing was said. */
  readonly scope?: string | undefined
  /** What else is needed to renew them: which authorization server, as which client. Whoever made them reads it. */
  readonly renewal: Readonly<Record<string, unknown>>
}

export interface Link {
  /** Address of the server that it was made for. */
  readonly url: string
  readonly tokens: LinkTokens
  readonly linkedAt: number
  /** Unique to one consent. */
  readonly id: string
}

/** A secret of a person for one server. */
export interface StoredSecret {
  /** Of the server; empty for one that is started here. */
  readonly url: string
  readonly secret: string
  readonly storedAt: number
  /** Unique to one storing. */
  readonly id: string
}

const tokensSchema = z.object({
  access: z.string(),
  refresh: z.string().optional(),
  expires: z.number().optional(),
  scope: z.string().optional(),
  renewal: z.record(z.string(), z.unknown()),
})
const linkSchema = z.object({ url: z.string(), tokens: tokensSchema, linkedAt: z.number(), id: z.string() })
const secretSchema = z.object({ url: z.string(), secret: z.string(), storedAt: z.number(), id: z.string() })

/** What stands in the place of a link that its authorization server has taken back: no tokens. */
export const endedLink = JSON.stringify({ ended: true })

/** Undefined for what is none, or is that of another address: a server that has moved is another one until its person says otherwise. */
export function readLink(content: string, server: McpServer): Link | undefined {
  const link = linkSchema.safeParse(parsed(content)).data
  return link?.url === addressOf(server) ? link : undefined
}

/** As `readLink`. */
export function readSecret(content: string, server: McpServer): StoredSecret | undefined {
  const stored = secretSchema.safeParse(parsed(content)).data
  return stored?.url === addressOf(server) ? stored : undefined
}

export function linkPlace(person: string, server: string): SecretPlace {
  return { kind: 'link', owner: person, name: server }
}

export function secretPlace(person: string, server: string): SecretPlace {
  return { kind: 'person_header', owner: person, name: server }
}

/** What a link is bound to: where requests go. */
export function addressOf({ config, api }: McpServer): string {
  return config.transport === 'http' ? config.url : (api?.base ?? '')
}

/** Id of what a person's requests to a server go out with, in decisions: nobody learns from it who it is of, or what. */
export function linkId(secret: Uint8Array, server: string, person: string): string {
  return `link:${server}:${keyedHash(secret, 'link', server, person).slice(0, 10)}`
}

function parsed(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch {
    return undefined
  }
}

/** What there is to know of a client to connect it. The command line and the console have it from here, so both say the same. */
import type { Entry, Format } from './entry.ts'

/** The gateway that a client is to be led to. */
export interface GatewayPlace {
  /** `https://turnward.acme.example`, without a slash at its end. */
  readonly url: string
  /** Name of the MCP endpoint; undefined for models alone. */
  readonly mcp: string | undefined
  /** The model that is asked for. */
  readonly model: string
}

export interface ConnectedClient {
  readonly title: string
  readonly kind: 'coding agent' | 'library' | 'command'
  /** A model its vendor has, and how names of its kind begin. */
  readonly model: { readonly usual: string; readonly begins: string }
  readonly files: readonly ClientFile[]
  /** Variables of the shell it is started from, beside the one with the key. Values may refer to `$TURNWARD_KEY`. */
  readonly variables: (place: GatewayPlace) => Readonly<Record<string, string>>
  /** Where nothing but a program has to be written. */
  readonly code: (place: GatewayPlace) => readonly Code[]
  /** How it is started. */
  readonly start: (place: GatewayPlace) => string | undefined
  /** What only a person can do, and what they should know. */
  readonly notes: (place: GatewayPlace) => readonly string[]
}

export interface ClientFile {
  /** The person's own: `~` is the home folder, `@` where programs of the platform keep their settings. */
  readonly own: string
  /** A project's, from its folder. */
  readonly project: string
  readonly format: Format
  readonly entries: (place: GatewayPlace) => readonly Entry[]
}

export interface Code {
  readonly language: 'js' | 'py' | 'sh'
  readonly text: string
}

/** The endpoint's address; undefined without one. */
export function mcpUrl({ url, mcp }: GatewayPlace): string | undefined {
  return mcp === undefined ? undefined : `${url}/mcp/${encodeURIComponent(mcp)}`
}

/** What is set in a shell before the client is started there: the key first, because the others may refer to it. */
export function exportsOf(variables: Readonly<Record<string, string>>): string {
  const rest = Object.entries(variables).map(([name, value]) => `export ${name}=${value.startsWith('$') ? `"${value}"` : quoted(value)}`)
  return ['export TURNWARD_KEY=tw_…', ...rest].join('\n')
}

/** A word of a shell. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

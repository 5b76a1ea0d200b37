/** A coding agent from npm, as a run needs to know it. A client is one file and one line in `clients.ts`. */
import type { PlannedCall } from './plan.ts'
import type { UpstreamName } from './upstreams.ts'

/** A new conversation, the one of the run before, or a copy of that. */
export type ConversationOfRun = 'new' | 'same' | 'fork'

/** Where a run takes place. Everything in it is made for this run and removed after it. */
export interface Place {
  /** Home folder of the client. */
  readonly home: string
  /** Folder it works in. */
  readonly project: string
  /** The file it reads and edits, absolute. */
  readonly file: string
  /** Where its model calls go, without a version: the gateway, or the mock model for a client whose dialect the gateway does not speak yet. */
  readonly modelUrl: string
  /** The MCP endpoint of the gateway. */
  readonly mcpUrl: string
  /** The virtual key. */
  readonly key: string
  readonly prompt: string
}

/** A program to run: the client's own. */
export interface Start {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Configuration files, absolute path to text. */
  readonly files?: Readonly<Record<string, string>>
}

export interface Client {
  readonly name: string
  /** On npm. */
  readonly package: string
  readonly version: string
  /** A script of the package that npm would run after installing; run by hand, because install scripts are off. */
  readonly postInstall?: string
  /** The command the package brings. */
  readonly command: string
  /** The dialect of its model calls. */
  readonly speaks: Exclude<UpstreamName, 'own'>
  /** `models-and-tools`, or `tools` for a client whose model dialect the gateway does not speak yet. */
  readonly governed: 'models-and-tools' | 'tools'
  /** The name of the client's own file reader, which the configuration calls untrusted in one plan. */
  readonly reader: string
  /** How the model reads the file, replaces `from` by `to` in it, and runs a command with this client's own tools. */
  readonly read: (file: string) => PlannedCall
  readonly edit: (file: string, from: string, to: string) => PlannedCall
  readonly run: (command: string) => PlannedCall
  /** How the model calls a tool of our MCP endpoint: the name this client gives it, and what must come before. */
  readonly mcp: (tool: string, args: object) => readonly PlannedCall[]
  /** The client's tool that calls others; it is decided as the call it makes, so nothing has to describe it. */
  readonly callThrough?: string
  /** How the model gives a task to a sub-agent and waits for it; undefined for a client that cannot, or whose models are not governed. */
  readonly delegate?: (task: string) => readonly PlannedCall[]
  /** Flags that make a run go on with the conversation of the one before, or with a copy of it. */
  readonly flags?: Readonly<Record<Exclude<ConversationOfRun, 'new'>, readonly string[]>>
  /** What a person types to have the conversation replaced by a summary; undefined where that cannot be typed. */
  readonly compact?: string
  readonly start: (place: Place) => Start
}

/** The label under which every client knows our MCP endpoint. */
export const label = 'turnward'

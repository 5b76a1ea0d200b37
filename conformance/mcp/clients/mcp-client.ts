/** An MCP client that somebody else wrote, in the few words the suite needs. What it says on the wire is its own affair. */

/** What the person and the model at the client's side say when they are asked. */
export interface Answers {
  readonly elicitation?: Readonly<Record<string, string>>
  readonly sampling?: string
}

export interface ConnectOptions {
  /** Kept by the client for every request. */
  readonly headers?: Readonly<Record<string, string>>
  /** Only what is answered is offered to servers. */
  readonly answers?: Answers
}

export interface CallOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: number) => void
}

export interface ToolAnswer {
  /** All text, a line a part. */
  readonly text: string
  readonly images: readonly { readonly mimeType: string; readonly data: string }[]
  /** Resources that are in the result or linked from it. */
  readonly uris: readonly string[]
  readonly structured: unknown
  readonly failed: boolean
}

export interface ConnectedClient {
  tools(): Promise<readonly string[]>
  /** Rejects where the client throws for a protocol error. */
  call(tool: string, args: Readonly<Record<string, unknown>>, options?: CallOptions): Promise<ToolAnswer>
  resources(): Promise<readonly string[]>
  /** Text of the resource. */
  read(uri: string): Promise<string>
  prompts(): Promise<readonly string[]>
  /** Text of the prompt's messages. */
  prompt(name: string, args: Readonly<Record<string, string>>): Promise<string>
  close(): Promise<void>
}

/**
 * What not every client can do. `progress at once`: it hears of progress that comes together with the result. `cancellation`: what
 * it gives up ends at the server, and not only for itself.
 */
export type Ability = 'progress' | 'progress at once' | 'cancellation' | 'elicitation' | 'sampling'

export interface McpClient {
  readonly name: string
  readonly can: readonly Ability[]
  /** `url` is the address of the endpoint. */
  connect(url: string, key: string, options?: ConnectOptions): Promise<ConnectedClient>
}

interface Part {
  readonly type: string
  readonly text?: string
  readonly mimeType?: string
  readonly data?: string
  readonly uri?: string
  readonly resource?: { readonly uri: string }
}

/** A result of `tools/call` as the protocol has it. */
export function toolAnswer(result: object): ToolAnswer {
  const { content = [], structuredContent, isError } = result as { content?: Part[]; structuredContent?: unknown; isError?: boolean }
  return {
    text: content.flatMap(({ text }) => (text === undefined ? [] : [text])).join('\n'),
    images: content.flatMap(({ type, mimeType = '', data = '' }) => (type === 'image' ? [{ mimeType, data }] : [])),
    uris: content.flatMap(({ uri, resource }) => uri ?? resource?.uri ?? []),
    structured: structuredContent,
    failed: isError === true,
  }
}

/** Text of the contents of a resource. */
export function textOfContents(contents: readonly object[]): string {
  return contents.map((one) => (one as { text?: string }).text ?? '').join('\n')
}

/** Text of the messages of a prompt. */
export function textOfMessages(messages: readonly { readonly content: unknown }[]): string {
  return messages.map(({ content }) => (content as { text?: string }).text ?? '').join('\n')
}

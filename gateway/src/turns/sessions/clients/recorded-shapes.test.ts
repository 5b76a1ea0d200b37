/** What real clients sent through a recording proxy, in words of our own, and what their adapters read of it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../core/json.ts'
import { dialectByName } from '../../../wire/dialects.ts'
import type { RequestView } from '../../../wire/dialect.ts'
import { clientOf } from './clients.ts'
import { lastUserText, type ClientRequest } from './client-adapter.ts'

interface Shape {
  readonly situation: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: JsonObject
  readonly reads: {
    readonly session?: string
    readonly agent?: { readonly id: string; readonly parent?: string }
    readonly parent?: string
    readonly side?: string
    /** What the person typed in the newest user message. */
    readonly typed?: string
    /** An assistant message that the client wrote itself. */
    readonly writesItself?: string
    /** Name as the client offers it -> name of the tool. */
    readonly toolNames?: Readonly<Record<string, string>>
  }
}

interface Recorded {
  readonly client: string
  readonly dialect: string
  readonly shapes: readonly Shape[]
}

const folder = join(import.meta.dirname, 'fixtures')
const recorded = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Recorded)

// Of a dialect the gateway does not speak, only the headers and the fields can be read.
const unread: RequestView = {
  model: '',
  stream: true,
  messages: [],
  tools: [{ name: 'any', runs: 'client' }],
  wantsUsage: true,
  choices: 1,
}

function requestOf(dialect: string, { headers, body }: Shape): ClientRequest {
  const lens = Object.values(dialectByName).find(({ name }) => name === dialect)
  // What the path says is there before anybody reads the body.
  const fields = lens?.readPath === undefined ? body : { ...body, model: 'gemini-2.5-pro', stream: true }
  return { headers, fields: body, view: lens === undefined ? unread : lens.readRequest(fields) }
}

describe.each(recorded)('$client', ({ client: name, dialect, shapes }) => {
  test.each(shapes)('$situation', (shape) => {
    const request = requestOf(dialect, shape)
    const client = clientOf(request)
    const { session, agent, parent, side, typed, writesItself, toolNames } = shape.reads
    expect(client?.name).toBe(name)
    expect(client?.session?.(request)).toBe(session)
    expect(client?.agent?.(request)).toEqual(agent)
    expect(client?.parent?.(request)).toBe(parent)
    expect(client?.side?.(request)).toBe(side)
    if (typed !== undefined) expect(client?.typed?.(lastUserText(request)) ?? lastUserText(request)).toBe(typed)
    if (writesItself !== undefined) expect(client?.writesItself?.(writesItself)).toBe(true)
    for (const [offered, tool] of Object.entries(toolNames ?? {})) expect(client?.toolName?.(offered)).toBe(tool)
  })
})

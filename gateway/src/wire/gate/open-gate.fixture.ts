/** Runs a stream gate in tests: collects what the client gets, and puts the client's message together as an SDK does. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import type { JsonObject } from '../../core/json.ts'
import type { DialectName } from '../dialect.ts'
import { dialectByName } from '../dialects.ts'
import { SseFramer } from '../framing/sse.ts'
import { StreamGate } from './stream-gate.ts'

export function fixture(name: string): Buffer {
  return readFileSync(new URL(`../fixtures/${name}`, import.meta.url))
}

export interface Client {
  readonly gate: StreamGate
  /** To the client, past the gate. */
  write(text: string): void
  /** Everything written so far. */
  text(): string
  writes(): number
}

export function openGate(
  dialect: DialectName,
  options: { readonly maxEventBytes?: number; readonly hideUsageChunk?: boolean } = {},
): Client {
  const written: Buffer[] = []
  const sink = { write: (bytes: Uint8Array | string) => void written.push(Buffer.from(bytes as Uint8Array)) }
  const gate = new StreamGate(dialectByName[dialect].streamLens(!(options.hideUsageChunk ?? false)), sink, {
    maxEventBytes: options.maxEventBytes ?? 1 << 20,
  })
  return { gate, write: sink.write, text: () => Buffer.concat(written).toString(), writes: () => written.length }
}

/** Cuts bytes into chunks of the given sizes, over and over. */
export function cut(stream: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0, turn = 0; at < stream.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    chunks.push(Buffer.from(stream.subarray(at, at + size)))
    at += size
  }
  return chunks
}

export const chunkSizes = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 20 })

/** The JSON of every data event; `[DONE]` as that text. */
export function eventsOf(stream: string): (JsonObject | '[DONE]')[] {
  const events: (JsonObject | '[DONE]')[] = []
  new SseFramer(1 << 24).push(Buffer.from(stream), ({ data, isForeign }) => {
    if (isForeign) throw new Error('foreign bytes in the stream')
    if (data !== undefined && data !== '') events.push(data === '[DONE]' ? data : (JSON.parse(data) as JsonObject))
  })
  return events
}

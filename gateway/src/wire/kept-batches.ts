/** What a dialect knows of batches: how one is asked for and shown, and what its lines look like, going in and coming out. */
import type { JsonObject } from '../core/json.ts'

/** A line as its caller asks it. */
export interface BatchLine {
  readonly customId: string
  readonly body: JsonObject
}

/** What is wrong with a batch, or with a line of it, so that none of it runs. */
export interface BatchProblem {
  readonly code: string
  readonly message: string
  readonly line: number | null
  readonly param: string | null
}

/** A batch as it is asked for. */
export interface BatchAsk {
  /** Path of the calls. */
  readonly endpoint: string
  /** The file that has the lines; null when they come with the request. */
  readonly inputFile: string | null
  readonly lines: readonly BatchLine[]
  readonly metadata: JsonObject | null
  /** How long what came of it is kept, in milliseconds; null: as long as any file. */
  readonly outputTtlMs: number | null
}

/** How a batch has ended. */
export type BatchEnding = 'completed' | 'cancelled' | 'expired' | 'failed'

export interface BatchCounts {
  readonly waiting: number
  readonly ok: number
  readonly error: number
  readonly cancelled: number
  readonly expired: number
}

/** A batch as it is now. Times in Unix milliseconds. */
export interface BatchState {
  readonly id: string
  readonly endpoint: string
  readonly inputFile: string | null
  readonly metadata: JsonObject | null
  readonly created: number
  readonly expires: number
  readonly cancelled: number | null
  readonly ended: number | null
  readonly ending: BatchEnding | null
  readonly counts: BatchCounts
  readonly outputFile: string | null
  readonly errorFile: string | null
  readonly problems: readonly BatchProblem[]
}

/** What came of a line. `answer`: null when it has not run. */
export interface BatchResult {
  readonly id: string
  readonly customId: string
  readonly outcome: 'ok' | 'error' | 'cancelled' | 'expired'
  readonly answer: { readonly status: number; readonly call: string; readonly body: string } | null
}

export interface BatchPage {
  readonly states: readonly BatchState[]
  readonly hasMore: boolean
}

export interface KeptBatches {
  /** Where clients ask for them. */
  readonly path: string
  readonly idPrefix: string
  /** Headers of the request that go with each call. */
  readonly headers: readonly string[]
  /** Where clients find what came of it: in files of theirs, or below the batch as `results`. */
  readonly results: 'files' | 'results'
  /** Reads what asks for a batch. Throws `request.*` naming the field. */
  ask(body: JsonObject): BatchAsk
  /** Reads a line of a file; a problem when it is none. */
  line(line: JsonObject, endpoint: string): BatchLine | Omit<BatchProblem, 'line'>
  /** Throws `request.unsupported` for a line whose answer would not come whole. */
  check(body: JsonObject): void
  /** `base`: scheme and host by which its client reaches the gateway. */
  shown(state: BatchState, base: string): JsonObject
  /** Which of the batches of a caller, newest first, are meant. Throws `request.invalid` naming the parameter. */
  choose<T extends { readonly id: string }>(
    all: readonly T[],
    query: URLSearchParams,
  ): { readonly items: readonly T[]; readonly hasMore: boolean }
  list(page: BatchPage, base: string): JsonObject
  deleted(id: string): JsonObject
  /** A line of what came of it, without its end. */
  result(result: BatchResult): string
}

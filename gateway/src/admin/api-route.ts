/**
 * A line of the administration API: where, for whom, what it takes, what it answers, and how. Requests are checked against the schemas
 * before anything is done; the OpenAPI document is written from the same ones (`document.ts`).
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { z } from 'zod'
import type { Role } from '../identity/people/roles.ts'
import type { Administrator } from './administrators.ts'

/** What a request asks for, once it has been checked. */
export interface Ask<Parameters, Query, Body> {
  readonly administrator: Administrator
  readonly parameters: Parameters
  readonly query: Query
  readonly body: Body
  readonly request: IncomingMessage
  /** Who asks, as they are by now: for answers that go on. Rejects once they may not come here any more. */
  readonly who: () => Promise<Administrator>
  /** For headers of the answer; and to be written, where the line says that it writes its answer itself. */
  readonly response: ServerResponse
}

interface Line {
  /** As in the table of entrances: `/api/people/{id...}`. */
  readonly path: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** `caller`: anybody who is known; `person`: no agent, and no key for something else; otherwise who holds the role. */
  readonly needs: 'caller' | 'person' | { readonly role: Role }
  /** Under which the document lists it: `Approvals`. */
  readonly tag: string
  /** What it does, in one line. */
  readonly summary: string
  /** Largest body, in bytes. Default: 128 Ki. */
  readonly mostBytes?: number
  /** Headers that say on what condition it is done (`If-Match`), for the document. */
  readonly conditions?: readonly string[]
  /** A body of which not even the name of an unknown field is said: somebody may have put a secret there. */
  readonly isSecret?: boolean
}

/** A line that any request can be checked against. */
export interface ApiRoute extends Line {
  readonly query: z.ZodObject | undefined
  readonly body: z.ZodType | undefined
  /** What is answered: JSON of this schema; or with its media type, where the line writes it itself. */
  readonly answer: z.ZodType | { readonly media: string }
  readonly run: (ask: Ask<Readonly<Record<string, string>>, unknown, unknown>) => Promise<unknown>
}

interface TypedLine<Query extends z.ZodObject, Body extends z.ZodType, Answer extends z.ZodType> extends Line {
  readonly query?: Query
  readonly body?: Body
  readonly answer: Answer
  readonly run: (ask: Ask<Readonly<Record<string, string>>, z.output<Query>, z.output<Body>>) => Promise<DeepReadonly<z.input<Answer>>>
}

/** A line that answers JSON. */
export function apiRoute<Query extends z.ZodObject, Body extends z.ZodType, Answer extends z.ZodType>(
  line: TypedLine<Query, Body, Answer>,
): ApiRoute {
  // What `run` is handed has come out of these very schemas.
  return { query: undefined, body: undefined, ...line } as unknown as ApiRoute
}

/** A line that writes its answer itself, of this media type. */
export function writingRoute<Query extends z.ZodObject>(
  line: Line & {
    readonly media: string
    readonly query?: Query
    readonly run: (ask: Ask<Readonly<Record<string, string>>, z.output<Query>, undefined>) => Promise<void>
  },
): ApiRoute {
  const { media, ...rest } = line
  return { query: undefined, body: undefined, ...rest, answer: { media } } as unknown as ApiRoute
}

type DeepReadonly<T> = T extends readonly (infer One)[]
  ? readonly DeepReadonly<One>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T

/** What a REST API is to the gateway once its document has been read: an address, and operations that can be called. */
import type { JsonObject } from '../../core/json.ts'

export type ApiMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
export type ParameterPlace = 'path' | 'query' | 'header' | 'cookie'
export type ParameterStyle = 'simple' | 'label' | 'matrix' | 'form' | 'spaceDelimited' | 'pipeDelimited' | 'deepObject'

/** One argument of a tool that travels outside of the body. */
export interface ApiParameter {
  /** Name that the model sees. */
  readonly argument: string
  /** Name in the request. */
  readonly name: string
  readonly place: ParameterPlace
  readonly required: boolean
  /** `json`: its value is JSON text. */
  readonly style: ParameterStyle | 'json'
  readonly explode: boolean
}

/** How the argument `body` is written. */
export interface ApiBody {
  readonly form: 'json' | 'urlencoded' | 'multipart' | 'text' | 'base64'
  readonly contentType: string
  readonly required: boolean
  /** Of a multipart body: fields whose values are files, as base64. */
  readonly files: readonly string[]
}

export interface ApiOperation {
  /** Name of the tool at its server. */
  readonly name: string
  readonly method: ApiMethod
  /** Path with `{name}` where a parameter goes; begins with a slash. */
  readonly path: string
  readonly parameters: readonly ApiParameter[]
  readonly body: ApiBody | undefined
  /** Arguments that are the same in each call; they win over what a caller gives. */
  readonly fixed: JsonObject
  /** Fields of the body, likewise. */
  readonly fixedBody: JsonObject
  /** The tool as it is listed. */
  readonly definition: JsonObject
  /** Whether an answer that is an object is given under a name as well, because others are not objects. */
  readonly wrapsObjects: boolean
  /** Paths that are kept of a JSON answer; undefined: everything. */
  readonly pick: readonly (readonly string[])[] | undefined
  /** Longest answer that is passed on whole, in bytes. */
  readonly maxBytes: number
}

export interface Api {
  /** Origin and path that everything is below; no slash at the end. */
  readonly base: string
  readonly operations: readonly ApiOperation[]
  /** Operations that were selected and cannot be called -> why. */
  readonly leftOut: ReadonlyMap<string, string>
  /** SHA-256 (hex) of the document. */
  readonly digest: string
}

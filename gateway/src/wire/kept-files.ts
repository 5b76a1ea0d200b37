/** What a dialect knows of files that are kept for its clients: how they are brought and shown, and where a request names one. */
import type { JsonObject } from '../core/json.ts'

/** What is known of a file besides its content. */
export interface FileFacts {
  readonly id: string
  readonly name: string
  readonly purpose: string
  readonly mediaType: string
  /** Size of its content. */
  readonly bytes: number
  /** Unix milliseconds. */
  readonly created: number
  readonly expires: number
}

/** A file as its client brings it. */
export interface FileUpload {
  readonly content: Blob
  readonly name: string
  readonly purpose: string
  readonly mediaType: string
  /** How long its client wants it kept, in milliseconds. */
  readonly ttlMs: number | undefined
}

export interface KeptFiles {
  /** What ids begin with. */
  readonly idPrefix: string
  /** Reads a form that brings a file. Throws `request.*` naming the field. */
  upload(form: FormData): FileUpload
  shown(file: FileFacts): JsonObject
  /** A page of all files of a caller, which come newest first. Throws `request.invalid` naming the parameter. */
  page(files: readonly FileFacts[], query: URLSearchParams): JsonObject
  /** What is answered to whoever deletes it. */
  deleted(id: string): JsonObject
}

/** A place of a request that has the name of a file in place of its content. */
export interface NamedFile {
  readonly id: string
  /** Path of the field. */
  readonly at: string
  /** Puts the content there. Throws `request.*` for what cannot stand there. */
  readonly put: (file: FileFacts, content: Buffer) => void
}

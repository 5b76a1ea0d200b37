/**
 * Streams that are not server-sent events on the wire (a JSON list, frames of bytes). Inside the gateway every stream is
 * server-sent events: one that comes in another form is read into them at the edge, and written from them at the other.
 */

/** Turns pieces of one form into pieces of another, as they come. */
export interface StreamRecoder {
  /** What can be said after this piece; empty when nothing can. Throws `upstream.malformed` for what is not of the form. */
  push(bytes: Uint8Array): Buffer
  /** The stream has ended properly: what is left to say. */
  end(): Buffer
}

export interface StreamFraming {
  /** Content type of a stream in this form. */
  readonly contentType: string
  /** From this form to server-sent events. `maxEventBytes`: largest event that is taken. */
  decoder(maxEventBytes: number): StreamRecoder
  /** From server-sent events to this form. Comments may be left out. */
  encoder(): StreamRecoder
}

/** A call-through tool names in its arguments the tool that it calls. */
export interface CallThroughFields {
  /** Argument that has the name of the tool. */
  readonly name: string
  /** Argument that has its arguments, as an object or as JSON text. */
  readonly arguments: string
}

/** Who a call is for. Made by identity, read by everything above it. */
export interface Principal {
  readonly id: string
  readonly kind: 'human' | 'workload'
  readonly groups: readonly string[]
  readonly emails: readonly string[]
  /** Upstream name -> credential id, the principal's own. */
  readonly credentials: ReadonlyMap<string, string>
}

/** The authenticated caller: the principal, the credential used, and who acts for the principal. */
export interface Caller {
  readonly principal: Principal
  /** Id of the virtual key. */
  readonly key: string
  readonly consumer: string | null
  readonly actor: string | null
  /** Upstream name -> credential id, mapped on the key. */
  readonly credentials: ReadonlyMap<string, string>
  /** The line of a batch that the call is made for, when nobody waits for it. */
  readonly batch?: { readonly id: string; readonly customId: string }
  /** The server that has asked for the model call while it worked, and the decision on what it worked on. */
  readonly askedBy?: { readonly server: string; readonly decision: string }
}

/** The long streams of this process, counted per principal so that one cannot take them all, ended together. */
import { TurnwardError } from '../../core/error.ts'

const mostPerPrincipal = 100

export class OpenStreams {
  readonly #ends = new Map<string, Set<() => void>>()

  /** Keeps a stream until the returned function is called. `end` finishes it gracefully. Throws `mcp.server_busy` at the bound. */
  add(principal: string, end: () => void): () => void {
    const open = this.#ends.get(principal) ?? new Set()
    if (open.size >= mostPerPrincipal)
      throw new TurnwardError('mcp.server_busy', {
        why: `${mostPerPrincipal} streams are open for this principal`,
        fix: 'Close streams that are not needed.',
      })
    this.#ends.set(principal, open)
    open.add(end)
    return () => {
      open.delete(end)
      if (open.size === 0 && this.#ends.get(principal) === open) this.#ends.delete(principal)
    }
  }

  endAll(): void {
    for (const open of this.#ends.values()) for (const end of open) end()
    this.#ends.clear()
  }
}

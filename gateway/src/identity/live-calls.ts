/**
 * Calls, streams and sockets under way, by whom they are for and the key or token they came with: so that they end when those
 * are no longer good. Each floor enters its calls at one place.
 */
import type { TurnwardError } from '../core/error.ts'
import type { Caller } from '../core/principal.ts'

/** Work that can be given up for a reason, which its client is told in the form of its protocol. */
export interface Cancellable {
  cancel(reason: TurnwardError): void
}

export class LiveCalls {
  readonly #calls = new Map<string, Set<Cancellable>>()

  /** Notes that a call is under way, until the returned function is called. */
  enter({ principal, key, actors }: Pick<Caller, 'principal' | 'key' | 'actors'>, call: Cancellable): () => void {
    return this.enterAs([`person ${principal.id}`, `key ${key}`, ...actors.map((actor) => `agent ${actor}`)], call)
  }

  /** Notes that a call is under way under what else is known of it: `session ses_…`, `tool mail__send`. */
  enterAs(names: readonly string[], call: Cancellable): () => void {
    for (const name of names) {
      const calls = this.#calls.get(name)
      if (calls === undefined) this.#calls.set(name, new Set([call]))
      else calls.add(call)
    }
    return () => {
      for (const name of names) {
        const calls = this.#calls.get(name)
        calls?.delete(call)
        if (calls?.size === 0) this.#calls.delete(name)
      }
    }
  }

  /** Ends everything that is under way for a person. Returns how much that was. */
  cutPerson(id: string, reason: TurnwardError): number {
    return this.cut(`person ${id}`, reason)
  }

  /** Ends everything that came with a key or token. */
  cutKey(id: string, reason: TurnwardError): number {
    return this.cut(`key ${id}`, reason)
  }

  /** What calls are under way under. */
  names(): readonly string[] {
    return [...this.#calls.keys()]
  }

  /** Ends everything that is under way under a name. */
  cut(name: string, reason: TurnwardError): number {
    const calls = [...(this.#calls.get(name) ?? [])]
    for (const call of calls) call.cancel(reason)
    return calls.length
  }
}

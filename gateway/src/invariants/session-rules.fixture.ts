/**
 * The rules of sessions and labels in the plainest words: a conversation is known by all that was said in it, and
 * what it implies is looked up place by place. Independent of the product on purpose; shares no code with it.
 */
/** A principal, or a principal through an application of its own. */
export type Person = 'alice' | 'alice in an app' | 'bob'

export interface Call {
  readonly id: string
  readonly name: string
}

export type Message =
  | { readonly role: 'user'; readonly text: string }
  | { readonly role: 'assistant'; readonly text: string; readonly calls: readonly Call[] }
  | { readonly role: 'results'; readonly results: readonly { readonly id: string; readonly text: string }[] }

/** Every tool of these tests lowers trust, names one reader, or neither. */
export interface RuleLabel {
  readonly trusted: boolean
  /** Readers who all must be allowed, sorted. */
  readonly readers: readonly string[]
}

export interface Expected {
  readonly session: string
  readonly parent: string | undefined
  readonly label: RuleLabel
}

export interface RuleOptions {
  /** How the dialect counts: all results together are one message, or each is its own. */
  readonly resultsAreOneMessage: boolean
  /** `unknown_history: accept`. */
  readonly believesStrangers: boolean
}

interface RuleSession {
  readonly name: string
  readonly parent: string | undefined
  label: RuleLabel
  /** The place of the newest request. */
  head: string
  /** Whether that request has been answered. */
  isAnswered: boolean
}

interface Place {
  readonly session: RuleSession
  readonly label: RuleLabel
  /** For a place after an answer: where it was asked. */
  readonly asked: string | undefined
}

/** Sessions and conversations belong to principal and application together; what was said, to the principal. */
export function principalOf(who: Person): string {
  return who.split(' ')[0] ?? who
}

const clean: RuleLabel = { trusted: true, readers: [] }

const both = (one: RuleLabel, other: RuleLabel): RuleLabel => ({
  trusted: one.trusted && other.trusted,
  readers: [...new Set([...one.readers, ...other.readers])].sort(),
})

/** What reading a result of each tool means. A tool nobody described says no more than a stranger does. */
function resultOf(tool: string, stranger: RuleLabel): RuleLabel {
  const labels: Readonly<Record<string, RuleLabel>> = {
    web: { trusted: false, readers: [] },
    staff: { trusted: true, readers: ['@staff'] },
    corp: { trusted: true, readers: ['corp.example'] },
    time: clean,
  }
  return labels[tool] ?? stranger
}

export class SessionRules {
  readonly #options: RuleOptions
  readonly #named = new Map<string, RuleSession>()
  readonly #places = new Map<string, Place>()
  /** Principal and message -> the most restricted label it was ever told under. */
  readonly #told = new Map<string, RuleLabel>()
  #sessions = 0
  #asking: { readonly who: Person; readonly session: RuleSession; readonly label: RuleLabel; readonly place: string } | undefined

  constructor(options: RuleOptions) {
    this.#options = options
  }

  /** A request with this history. */
  request(who: Person, name: string | undefined, history: readonly Message[]): Expected {
    const entries = this.#entries(history)
    const places = entries.map((_, index) => placeKey(who, entries.slice(0, index + 1)))
    const known = places.findLastIndex((place) => this.#places.has(place))
    const at = this.#places.get(places[known] ?? '')
    // What the history implies by itself begins with what held where it was last seen.
    let presented = at?.label ?? clean

    const isSecond = known === places.length - 1 && at?.asked === undefined
    const session = this.#find(who, name, at, isSecond ? undefined : places[known], entries[known + 1]?.role !== 'assistant')
    session.label = both(session.label, presented)
    for (const [index, entry] of entries.entries()) {
      if (index <= known) continue
      const brings = this.#meaning(who, entry, entries.slice(0, index))
      presented = both(presented, brings)
      session.label = both(session.label, brings)
    }
    const place = places.at(-1) ?? ''
    session.head = place
    session.isAnswered = false
    this.#places.set(place, { session, label: presented, asked: undefined })
    this.#asking = { who, session, label: presented, place }
    return { session: session.name, parent: session.parent, label: session.label }
  }

  /** The answer to the request before. */
  answered(message: Message): void {
    if (this.#asking === undefined) throw new Error('nothing was asked')
    const { who, session, label, place } = this.#asking
    this.#places.set(`${place}\n${entryKey(message)}`, { session, label, asked: place })
    if (session.head === place) session.isAnswered = true
    const key = `${principalOf(who)}\n${entryKey(message)}`
    this.#told.set(key, both(this.#told.get(key) ?? clean, label))
  }

  /** A named session is its name's; otherwise the conversation goes on where it was left, after the answer it was given, or forks where it was not. The same request again is a second conversation. */
  #find(who: Person, name: string | undefined, at: Place | undefined, place: string | undefined, dropsAnswer: boolean): RuleSession {
    if (name !== undefined) {
      const named = this.#named.get(`${who}\n${name}`) ?? this.#begin(undefined, clean)
      this.#named.set(`${who}\n${name}`, named)
      return named
    }
    if (at === undefined) return this.#begin(undefined, clean)
    const wasLeft =
      at.asked === undefined ? at.session.head === place && !(dropsAnswer && at.session.isAnswered) : at.session.head === at.asked
    return wasLeft ? at.session : this.#begin(at.session.name, at.label)
  }

  #begin(parent: string | undefined, label: RuleLabel): RuleSession {
    this.#sessions += 1
    return { name: `session ${this.#sessions}`, parent, label, head: '', isAnswered: false }
  }

  #meaning(who: Person, entry: Message, before: readonly Message[]): RuleLabel {
    const stranger: RuleLabel = { trusted: false, readers: [principalOf(who)] }
    if (entry.role === 'user') return clean
    if (entry.role === 'assistant')
      return this.#told.get(`${principalOf(who)}\n${entryKey(entry)}`) ?? (this.#options.believesStrangers ? clean : stranger)
    return entry.results
      .map(({ id }) => before.flatMap((message) => (message.role === 'assistant' ? message.calls : [])).findLast((call) => call.id === id))
      .map((call) => (call === undefined ? stranger : resultOf(call.name, stranger)))
      .reduce(both, clean)
  }

  #entries(history: readonly Message[]): Message[] {
    if (this.#options.resultsAreOneMessage) return [...history]
    return history.flatMap((message): Message[] =>
      message.role === 'results' ? message.results.map((result) => ({ role: 'results', results: [result] })) : [message],
    )
  }
}

function placeKey(who: Person, entries: readonly Message[]): string {
  return [who, ...entries.map(entryKey)].join('\n')
}

/** What a message says; the assistant's white space says nothing. */
function entryKey(message: Message): string {
  if (message.role !== 'assistant') return JSON.stringify(message)
  return JSON.stringify({ ...message, text: message.text.replaceAll(/\s/g, '') })
}

/** The conversations of the agents model test as their clients keep them: begun, gone on with, forked, compacted, dropped; and what each has read by the rules. */
import type { JsonObject } from '../core/json.ts'
import { isNamed, type ClientKind, type Item } from './agents-model-clients.fixture.ts'
import {
  clean,
  nothing,
  Reading,
  ruleOf,
  sentence,
  together,
  union,
  type Content,
  type Restrictions,
  type RuledTool,
  type Words,
} from './agents-model-rules.fixture.ts'

/** What the model answers: which calls it makes, and how. */
export interface Saying {
  readonly tools: readonly RuledTool[]
  readonly spawns: boolean
  /** Its calls are in the same words as those of other conversations, where a tool allows it. */
  readonly common: boolean
  /** It gets the arguments wrong, where it can. */
  readonly errs: boolean
  /** It says a word that every conversation says. */
  readonly short: boolean
  /** The vendor fails first, and the client tries again. */
  readonly fails: boolean
}

export const says: Saying = { tools: [], spawns: false, common: false, errs: false, short: false, fails: false }

/** A call that the gateway released to the client. */
export interface Pending {
  readonly id: string
  readonly tool: RuledTool | 'a sub-agent'
  readonly args: JsonObject
  /** What was in the conversation when the model wrote the arguments; nothing when the client wrote them. */
  readonly said: Content
  readonly thread: Thread
  readonly reading: Reading
  readonly turn: string | undefined
  readonly common: boolean
  /** Its arguments do not fit: it is refused where it would run. */
  readonly isWrong: boolean
  readonly mintedAt: number
  /** Of a call in common words nobody can say: another may have taken it. */
  ticket: 'waiting' | 'used'
  result: Words | undefined
  failed: boolean
  child: Thread | undefined
}

/** A conversation as its client keeps it. */
export interface Thread {
  readonly kind: ClientKind
  name: string
  returned: string | undefined
  readonly parent: Thread | undefined
  items: Item[]
  pending: Pending[]
  reading: Reading
  /** The turn of its last real user message; undefined until the first model call after one. */
  turn: string | undefined
  /** Whether that turn must be one nobody has seen. */
  turnIsNew: boolean
  readonly children: Thread[]
}

const interrupted: Words = { text: 'The user interrupted this.', ...clean }

export class Conversations {
  readonly threads: Thread[] = []
  readonly readings: Reading[] = []
  /** Calls that were released and that their conversation has gone on without. */
  readonly abandoned: Pending[] = []
  /** What happened, a line each, for whoever reads a failure. */
  readonly story: string[] = []
  #count = 0

  number(): number {
    return (this.#count += 1)
  }

  tell(line: string): void {
    this.story.push(line)
  }

  begin(kind: ClientKind, words: Words, parent?: Pending): Thread {
    const sharesSession = parent !== undefined && kind.names === 'named'
    const inherited = parent === undefined ? clean : { read: parent.reading.read, may: parent.reading.may }
    const reading = sharesSession ? parent.reading : this.#reading(kind, inherited)
    const thread: Thread = {
      kind,
      name: `c${this.number()}`,
      returned: undefined,
      parent: parent?.thread,
      items: [{ role: 'user', words }],
      pending: [],
      reading,
      turn: parent?.turn,
      turnIsNew: parent === undefined,
      children: [],
    }
    this.threads.push(thread)
    if (parent !== undefined) {
      parent.child = thread
      if (!sharesSession) parent.thread.children.push(thread)
    }
    return thread
  }

  #reading(kind: ClientKind, content: Content): Reading {
    const reading = new Reading(kind.owner, content)
    this.readings.push(reading)
    return reading
  }

  /** The person says something; calls that were not run are answered as interrupted, or left out together with the message that made them. */
  speak(thread: Thread, words: Words, drops: boolean): void {
    if (thread.pending.length > 0 && drops) {
      thread.items = thread.items.slice(0, -1)
      this.abandoned.push(...thread.pending)
      thread.pending = []
      // Nothing tells the gateway that this is still the same conversation, though it may take it for the same.
      if (!isNamed(thread.kind, thread)) thread.reading = this.#again(thread)
    } else this.giveResults(thread, interrupted)
    thread.items = [...thread.items, { role: 'user', words }]
    this.#newTurn(thread)
  }

  #newTurn(thread: Thread): void {
    thread.turn = undefined
    thread.turnIsNew = true
  }

  #again(thread: Thread): Reading {
    const reading = this.#reading(thread.kind, contentOf(thread.items))
    reading.may = thread.reading.may
    return reading
  }

  /** The client replaces the history by what everybody said in it, word for word. */
  compact(thread: Thread): void {
    // What the client ran by itself and nobody was shown is known to the client alone; honest ones leave it out.
    for (const pending of thread.pending)
      if (pending.tool !== 'a sub-agent' && ruleOf(pending.tool).runsAt === 'client') pending.result = undefined
    this.giveResults(thread, interrupted)
    const said = thread.items.flatMap((item) => (item.role === 'results' ? item.results.map(({ words }) => words) : [item.words]))
    const words: Words = {
      text: `The conversation so far, in brief.\n\n${said.map(({ text }) => `> ${text}`).join('\n\n')}\n\nGo on.`,
      ...together(said),
    }
    thread.items = [{ role: 'user', words }]
    if (isNamed(thread.kind, thread)) thread.reading.add(words)
    else thread.reading = this.#reading(thread.kind, words)
    this.#newTurn(thread)
    thread.turnIsNew = false
    this.tell(`${thread.name} is compacted`)
  }

  /** A second conversation goes on from the beginning of this one. */
  fork(thread: Thread, at: number): Thread {
    const ends = thread.items.flatMap((item, index) => (item.role === 'user' && index > 0 ? [index] : []))
    const items = thread.items.slice(0, ends[at % Math.max(1, ends.length)] ?? (thread.pending.length > 0 ? -1 : undefined))
    // Under the id the gateway returned, both are one conversation to it.
    const reading = thread.kind.names === 'returned' ? thread.reading : this.#reading(thread.kind, contentOf(items))
    const fork: Thread = { ...thread, name: `c${this.number()}`, items, pending: [], reading, children: [] }
    this.threads.push(fork)
    this.tell(`${fork.name} is forked from ${thread.name}, at message ${items.length}`)
    return fork
  }

  giveResults(thread: Thread, missing: Words): void {
    if (thread.pending.length === 0) return
    const results = thread.pending.map((pending) => {
      const words =
        pending.child === undefined
          ? (pending.result ?? missing)
          : (pending.child.items.findLast(({ role }) => role === 'assistant')?.words ?? missing)
      const may = union([words.may, this.#judged(pending)])
      // Wherever these words are found again, they count as what the agent came back with.
      if (pending.child !== undefined)
        pending.child.items = pending.child.items.map((item) => (item.words === words ? { ...item, words: { ...words, may } } : item))
      return { id: pending.id, words: { ...words, may }, failed: pending.failed || pending.result === undefined }
    })
    this.abandoned.push(...thread.pending)
    thread.pending = []
    thread.items = [...thread.items, { role: 'results', results, words: { text: '', ...together(results.map(({ words }) => words)) } }]
  }

  /** What the gateway holds against a result because of the tool it comes from, whatever it says. */
  #judged({ tool, thread, isWrong, result }: Pending): Restrictions {
    // Then its result is what the gateway said of it.
    if (isWrong && result?.text.startsWith('not run: ') === true) return nothing
    if (tool === 'a sub-agent') return union(thread.children.map(({ reading }) => reading.may))
    const { brings } = ruleOf(tool)
    return brings === undefined ? nothing : new Set([brings])
  }

  resultOf(tool: RuledTool): Words {
    const { brings } = ruleOf(tool)
    const content = brings === undefined ? nothing : new Set([brings])
    return { text: sentence(this.number(), `Result of ${tool}`), read: content, may: content }
  }
}

export function contentOf(items: readonly Item[]): Content {
  return together(items.map(({ words }) => words))
}

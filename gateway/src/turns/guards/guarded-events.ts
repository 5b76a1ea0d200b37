/**
 * The events of a streamed answer on their way past the guards, before anything else reads them: what the history keeps and what the
 * client is shown is one text. Events whose words do not change pass in their own bytes, in their order. From the first call on all of
 * them wait for the end, as they would at the gate: what a call is made with is looked at as a whole.
 */
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import type { CarriedText, Dialect, ShownText } from '../../wire/dialect.ts'
import { type SseEvent, SseFramer } from '../../wire/framing/sse.ts'
import { AskingOnTheWay, type ShownPiece } from './asking-on-the-way.ts'
import { GuardedLane, type Piece } from './guarded-lane.ts'
import type { GuardsOfCall } from './guards-of-call.ts'
import { KnownEvents } from './known-events.ts'
import { lookAtAnswer } from './looking-at-answers.ts'
import { TextUnits } from './text-units.ts'

/** A text of an event that goes out with it. */
interface PlacedPiece extends ShownPiece {
  /** Undefined where the event was not read: it has nothing else in it. */
  readonly place: Pick<ShownText, 'holder' | 'field'> | undefined
}

interface Waiting {
  readonly event: SseEvent
  /** Undefined where it was not read, or cannot be. */
  payload: JsonObject | undefined
  readonly pieces: readonly PlacedPiece[]
  isEdited: boolean
}

/** A piece of what a call is made with. */
interface CallPiece {
  readonly text: CarriedText
  readonly waiting: Waiting
}

export interface GuardedEventsOptions {
  readonly maxEventBytes: number
  /** Nothing goes out before the end. */
  readonly holdsAll: boolean
  /** Takes the bytes that go on. */
  push(bytes: Buffer): void
  /** Somebody is asked: nothing more should come meanwhile. */
  pause(): void
  resume(): void
  /** What came of asking, when it is that nothing may go out. */
  fail(error: unknown): void
  /** On the monotonic clock, in milliseconds. */
  now(): number
}

export class GuardedEvents {
  readonly #dialect: Pick<Dialect, 'shownTexts' | 'carriedTexts'>
  readonly #guards: GuardsOfCall
  readonly #options: GuardedEventsOptions
  readonly #framer: SseFramer
  readonly #known: KnownEvents
  readonly #lanes = new Map<string, GuardedLane>()
  /** Pieces of what calls are made with, by their lanes. */
  readonly #calls = new Map<string, CallPiece[]>()
  /** Texts that are told again as a whole, while everything waits. */
  readonly #wholes: { readonly text: ShownText | CarriedText; readonly waiting: Waiting }[] = []
  /** In the order they came, from the first that is not decided. */
  #waiting: Waiting[] = []
  #isHolding: boolean
  #shown = 0
  #firstAt: number | undefined
  #hasLetOut = false
  /** What goes on at once. */
  #out: Buffer[] = []
  /** Who is asked about what was said, where somebody is. */
  readonly #asking: AskingOnTheWay | undefined
  #isEnding = false
  #failure: TurnwardError | undefined

  constructor(dialect: Pick<Dialect, 'shownTexts' | 'carriedTexts'>, guards: GuardsOfCall, options: GuardedEventsOptions) {
    this.#dialect = dialect
    this.#guards = guards
    this.#options = options
    this.#framer = new SseFramer(options.maxEventBytes)
    this.#known = new KnownEvents(dialect)
    this.#isHolding = options.holdsAll
    this.#asking = guards.gathers === undefined ? undefined : new AskingOnTheWay(guards, guards.gathers)
  }

  /** Takes the next bytes of the stream, in any pieces. Throws `guard.answer_refused`, and `upstream.malformed` for an event that is too large. */
  push(bytes: Buffer): void {
    try {
      this.#framer.push(bytes, this.#onEvent)
      if (!this.#isHolding) this.#look(false)
      this.#ask()
    } finally {
      this.#drain()
      this.#flush()
    }
  }

  /** Bytes of what has been said, thought and called, whether it has been let out or not. */
  get told(): number {
    const calls = [...this.#calls.values()].flatMap((pieces) => pieces.map(({ text }) => jsonOf(text)))
    const texts = [...this.#lanes.values()].map(({ came }) => came)
    return [...texts, ...calls].reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  }

  /** Asks about what has gathered, as long as nobody is being asked. */
  #ask(): void {
    if (this.#asking === undefined || this.#isHolding || this.#isEnding) return
    const asked = this.#asking.ask(this.#decided(), false, this.#shown)
    if (asked === undefined) return
    this.#options.pause()
    asked.then(
      () => {
        this.#options.resume()
        this.#ask()
        this.#drain()
        this.#flush()
      },
      (error: unknown) => {
        this.#failure = asTurnwardError(error)
        this.#options.fail(error)
      },
    )
  }

  /** Pieces that are decided by themselves, in their order. */
  #decided(): readonly PlacedPiece[] {
    const pieces: PlacedPiece[] = []
    for (const waiting of this.#waiting) {
      if (waiting.pieces.some(({ piece }) => piece.said === undefined)) break
      pieces.push(...waiting.pieces)
    }
    return pieces
  }

  /** The stream has ended: all of it is decided. */
  async end(): Promise<void> {
    this.#framer.end(this.#onEvent)
    this.#look(true)
    this.#isEnding = true
    while (this.#asking?.ended !== undefined) await this.#asking.ended
    if (this.#failure !== undefined) throw this.#failure
    await this.#asking?.ask(this.#decided(), true, this.#shown)
    await this.#lookAtCalls()
    const said = [...this.#lanes].filter(([name]) => name.startsWith('answer '))
    this.#guards.lookAtWhole(
      'output',
      said.map(([, { came }]) => ({ place: 'answer', text: came, isFixed: true })),
    )
    this.#isHolding = false
    this.#hasLetOut ||= this.#firstAt === undefined
    this.#drain()
    if (this.#waiting.some(({ pieces }) => pieces.some(this.#isOpen)))
      throw new TurnwardError('gateway.internal', { why: 'an answer ended undecided' })
    for (const one of this.#waiting.splice(0)) this.#write(one)
    this.#flush()
  }

  #flush(): void {
    const [first, ...more] = this.#out
    if (first === undefined) return
    this.#out = []
    this.#options.push(more.length === 0 ? first : Buffer.concat([first, ...more]))
  }

  #onEvent = (event: SseEvent): void => {
    const known = this.#known.wordsOf(event)
    if (known !== undefined) {
      const { words, lane } = known
      this.#waiting.push({ event, payload: undefined, pieces: [{ lane, place: undefined, piece: lane.add(words) }], isEdited: false })
      return
    }
    const payload = payloadOf(event)
    // A comment, or a sign of life, says nothing.
    const isPing = payload?.type === 'ping'
    if (event.data === undefined || (isPing && this.#hasLetOut)) {
      this.#out.push(event.raw)
      return
    }
    if (isPing) {
      this.#waiting.push({ event, payload, pieces: [], isEdited: false })
      return
    }
    const name = event.event ?? ''
    const shown = payload === undefined ? [] : this.#dialect.shownTexts(payload, name)
    const carried = payload === undefined ? [] : this.#dialect.carriedTexts(payload, name)
    const pieces: PlacedPiece[] = []
    const waiting: Waiting = { event, payload, pieces, isEdited: false }
    // What is told again as a whole has ended, and so have the words before a call. What only says nothing ends nothing.
    const isCall = carried.some(({ kind }) => kind === 'arguments')
    if ((isCall || shown.some(isTold) || carried.some(isTold)) && !this.#isHolding) {
      this.#look(true)
      this.#drain()
    }
    this.#waiting.push(waiting)
    if (isCall) this.#isHolding = true
    for (const text of shown) this.#take(text, 'answer', waiting, pieces)
    const [only] = pieces
    if (only !== undefined && shown.length === 1 && carried.length === 0 && !shown.some(isTold))
      this.#known.learn(event, only.piece.came, only.lane)
    for (const text of carried) {
      if (text.kind === 'thought') this.#take(text, 'thought', waiting, pieces)
      else if (text.isWhole === true) this.#wholes.push({ text, waiting })
      else this.#takeCall({ text, waiting })
    }
  }

  #takeCall(piece: CallPiece): void {
    const pieces = this.#calls.get(piece.text.lane)
    if (pieces === undefined) this.#calls.set(piece.text.lane, [piece])
    else pieces.push(piece)
  }

  #take(text: ShownText, place: 'answer' | 'thought', waiting: Waiting, pieces: PlacedPiece[]): void {
    const { holder, field } = text
    const words = holder[field]
    if (typeof words !== 'string' || (words === '' && text.isWhole === true)) return
    if (text.isWhole === true) {
      // What it says has come before, and was decided then.
      const known = [...this.#lanes.values()].find(({ came }) => came === words)
      if (known !== undefined && !this.#isHolding) pieces.push({ place: text, lane: known, piece: againOf(known) })
      else this.#wholes.push({ text, waiting })
      if (known === undefined) this.#isHolding = true
      return
    }
    this.#firstAt ??= this.#options.now()
    const name = `${place} ${text.lane}`
    let lane = this.#lanes.get(name)
    if (lane === undefined) this.#lanes.set(name, (lane = new GuardedLane(this.#guards, place)))
    pieces.push({ place: text, lane, piece: lane.add(words) })
  }

  #look(isEnd: boolean): void {
    for (const lane of this.#lanes.values()) lane.look(isEnd, this.#shown)
  }

  /** What calls are made with, and what was told as a whole meanwhile. */
  async #lookAtCalls(): Promise<void> {
    const calls = [...this.#calls.values()].map((pieces) => {
      const came = pieces.map(({ text }) => jsonOf(text)).join('')
      return { pieces, came, holder: { text: came } }
    })
    const units = new TextUnits()
    for (const { holder } of calls) units.addJson('tool_call', holder, 'text')
    // What has come in pieces is not found a second time.
    const again = this.#wholes.filter(
      ({ text }) => typeof text.holder[text.field] === 'string' && calls.some(({ came }) => came === jsonOf(text)),
    )
    const wholes = this.#wholes
      .filter((one) => !again.includes(one) && !this.#putKnown(one.text, one.waiting))
      .map((one) => ({ ...one, came: jsonOf(one.text) }))
    for (const { text } of wholes) {
      if ('kind' in text && text.kind === 'arguments') units.addJson('tool_call', text.holder, text.field)
      else units.add('kind' in text ? 'thought' : 'answer', text.holder, text.field)
    }
    await lookAtAnswer(this.#guards, units.units)
    units.write()
    for (const { pieces, came, holder } of calls) if (holder.text !== came) writeCall(pieces, holder.text)
    for (const { text, waiting } of again) this.#put(waiting, text, calls.find(({ came }) => came === jsonOf(text))?.holder.text ?? '')
    for (const { text, waiting, came } of wholes) if (jsonOf(text) !== came) waiting.isEdited = true
  }

  #putKnown(text: ShownText | CarriedText, waiting: Waiting): boolean {
    const words = text.holder[text.field]
    const known = [...this.#lanes.values()].find(({ came }) => came === words && came !== '')
    if (known !== undefined) this.#put(waiting, text, known.said)
    return known !== undefined
  }

  #put(waiting: Waiting, { holder, field }: ShownText, said: string): void {
    if (holder[field] === said) return
    holder[field] = said
    waiting.isEdited = true
  }

  #isOpen = ({ piece }: PlacedPiece): boolean => piece.said === undefined || (this.#asking !== undefined && piece.isPassed !== true)

  #drain(): void {
    if (this.#isHolding) return
    const open = this.#waiting.findIndex(({ pieces }) => pieces.some(this.#isOpen))
    const count = open < 0 ? this.#waiting.length : open
    // An answer begins with its first words: one that is refused before them is refused with a status.
    if (!this.#hasLetOut && !this.#waiting.slice(0, count).some(hasWords)) return
    for (const one of this.#waiting.splice(0, count)) this.#write(one)
  }

  #write(waiting: Waiting): void {
    const { event, pieces } = waiting
    for (const { place, piece } of pieces) {
      const said = piece.said ?? ''
      if (piece.isAgain !== true) this.#shown += said.length
      if (said === piece.came) continue
      const { holder, field } = place ?? this.#placeIn(waiting)
      holder[field] = said
      waiting.isEdited = true
    }
    if (!this.#hasLetOut && hasWords(waiting)) this.#noteFirst()
    const name = event.event === undefined ? '' : `event: ${event.event}\n`
    this.#out.push(!waiting.isEdited ? event.raw : Buffer.from(`${name}data: ${JSON.stringify(waiting.payload)}\n\n`))
  }

  /** Where the words of an event stand that was not read until now. */
  #placeIn(waiting: Waiting): Pick<ShownText, 'holder' | 'field'> {
    const payload = (waiting.payload = payloadOf(waiting.event) ?? {})
    return this.#dialect.shownTexts(payload, waiting.event.event ?? '')[0] ?? { holder: payload, field: 'text' }
  }

  #noteFirst(): void {
    this.#hasLetOut = true
    if (this.#firstAt !== undefined) this.#guards.noteHeld(this.#options.now() - this.#firstAt)
  }
}

/** A text that is told again as a whole says what became of it. */
function againOf(lane: GuardedLane): Piece {
  return {
    came: lane.came,
    isPassed: true,
    isAgain: true,
    get said() {
      return lane.said
    },
  }
}

function hasWords({ pieces }: Waiting): boolean {
  return pieces.some(({ piece }) => piece.came !== '')
}

function isTold({ isWhole }: ShownText): boolean {
  return isWhole === true
}

/** All of it in the place of its first piece. */
function writeCall(pieces: readonly CallPiece[], written: string): void {
  for (const [at, { text, waiting }] of pieces.entries()) {
    const { holder, field } = text
    holder[field] = typeof holder[field] === 'string' ? (at === 0 ? written : '') : (parseJson(written) as JsonObject)
    waiting.isEdited = true
  }
}

function jsonOf({ holder, field }: ShownText): string {
  const value = holder[field]
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function payloadOf({ data }: SseEvent): JsonObject | undefined {
  if (data === undefined || data.trim() === '' || data.trim() === '[DONE]') return undefined
  try {
    const value = parseJson(data)
    return isObject(value) ? value : undefined
  } catch {
    // Whoever reads it next says what is wrong with it.
    return undefined
  }
}

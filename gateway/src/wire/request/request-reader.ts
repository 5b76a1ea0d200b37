/**
 * Reads the body of a model call into its JSON and its views. What an earlier request of the same owner began with, byte
 * for byte, is neither checked nor parsed nor viewed again: a JSON reader that has seen the same bytes is in the same state.
 * The same holds for its list of tools.
 */
import type { Clock } from '../../core/clock.ts'
import type { Dialect, PathTarget, RequestView } from '../dialect.ts'
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import { MessageMarks, parseGuardedJson, parseGuardedText, textOf, type JsonLimits } from './json-guard.ts'
import { RequestBody } from './request-body.ts'
import { KnownBeginnings, shortestBeginning, type Beginning, type FoundBeginning } from './known-beginnings.ts'
import { KnownTools, type ToolsPlace } from './known-tools.ts'

export interface ReadBody {
  readonly body: RequestBody
  /** Views of its messages may be those of an earlier request: they are never changed. */
  readonly view: RequestView
  /** It names files in place of their content. */
  readonly namesFiles?: boolean
}

export class RequestReader {
  readonly #clock: Clock
  readonly #beginnings: KnownBeginnings
  readonly #tools = new KnownTools()

  constructor(clock: Clock, beginnings: KnownBeginnings = new KnownBeginnings()) {
    this.#clock = clock
    this.#beginnings = beginnings
  }

  /**
   * `owner`: whose requests may be compared with each other. `path`: what the path of the request says. Throws `request.malformed`, `request.ambiguous_key`,
   * `request.too_deep`, and what the dialect throws.
   */
  read(owner: string, dialect: Dialect, bytes: Buffer, given: JsonLimits, path?: PathTarget): ReadBody {
    const sender = `${dialect.name}|${owner}`
    const limits: Limits = { ...given, listField: dialect.listField, path }
    const tools = this.#tools.placeFor(sender, limits.maxDepth)
    const read =
      bytes.length < shortestBeginning || dialect.readsWhole === true
        ? readShort(dialect, bytes, limits, tools)
        : this.#readLong(sender, dialect, bytes, limits, tools)
    this.#tools.learn(sender, tools, read.body.fields.tools)
    return read
  }

  /** As `read`, of a body that `complete` may change before anybody has a view of it. It is read whole. */
  async readCompleted(
    owner: string,
    dialect: Dialect,
    bytes: Buffer,
    given: JsonLimits,
    complete: (json: JsonObject) => Promise<void> | void,
    path?: PathTarget,
  ): Promise<ReadBody> {
    const sender = `${dialect.name}|${owner}`
    const tools = this.#tools.placeFor(sender, given.maxDepth)
    const json = withPath(parseGuardedJson(bytes, { ...given, listField: dialect.listField }, tools), path)
    await complete(json)
    const read = { body: new RequestBody(json, dialect.listField), view: dialect.readRequest(json) }
    this.#tools.learn(sender, tools, json.tools)
    return read
  }

  #readLong(sender: string, dialect: Dialect, bytes: Buffer, limits: Limits, tools: ToolsPlace): ReadBody {
    const search = this.#beginnings.search(sender, bytes)
    const { beginning, ...read } = readLong(dialect, bytes, limits, tools, search.found)
    // What stands in it once is looked at again each time: a name alone says nothing.
    if (beginning !== undefined && !read.namesFiles) this.#beginnings.keep(search, beginning, this.#clock.now())
    return read
  }
}

interface Limits extends JsonLimits {
  readonly listField: string
  readonly path: PathTarget | undefined
}

/** What the path says is read as if the body said it. */
function withPath(json: JsonObject, path: PathTarget | undefined): JsonObject {
  if (path === undefined) return json
  for (const field of ['model', 'stream'])
    if (json[field] !== undefined) throw new TurnwardError('request.invalid', { subject: field, why: 'the path says it' })
  json.model = path.model
  json.stream = path.stream
  return json
}

function readShort(dialect: Dialect, bytes: Buffer, limits: Limits, tools: ToolsPlace): ReadBody {
  const json = withPath(parseGuardedJson(bytes, limits, tools), limits.path)
  return { body: new RequestBody(json, limits.listField), view: dialect.readRequest(json), namesFiles: namesFiles(dialect, json) }
}

function namesFiles({ namedFiles }: Dialect, json: JsonObject): boolean {
  return namedFiles !== undefined && namedFiles(json).length > 0
}

interface Reading extends ReadBody {
  readonly namesFiles: boolean
  readonly beginning: Beginning | undefined
}

function readLong(dialect: Dialect, bytes: Buffer, limits: Limits, tools: ToolsPlace, found: FoundBeginning | undefined): Reading {
  if (found === undefined || found.beginning.maxDepth !== limits.maxDepth) return readWhole(dialect, bytes, limits, tools)
  const next = nextElement(bytes, found.beginning.ends[found.count - 1] as number)
  return next < 0 ? readWhole(dialect, bytes, limits, tools) : readOn(dialect, bytes, limits, tools, found, next)
}

function readWhole(dialect: Dialect, bytes: Buffer, limits: Limits, tools: ToolsPlace): Reading {
  const text = textOf(bytes)
  const marks = new MessageMarks()
  const json = withPath(parseGuardedText(text, limits, marks, tools), limits.path)
  const body = new RequestBody(json, limits.listField)
  const view = dialect.readRequest(json)
  const messages = messagesOf(view)
  const named = { body, view, namesFiles: namesFiles(dialect, json) }
  if (marks.start === 0 || marks.ends.length !== messages.length) return { ...named, beginning: undefined }
  const start = Buffer.byteLength(text.slice(0, marks.start))
  const { keys, keysBefore } = marks
  const ends = byteOffsets(text, marks, start, bytes)
  const pieces = [bytes.subarray(0, ends.at(-1))]
  return { ...named, beginning: { pieces, start, ends, keys, keysBefore, messages, maxDepth: limits.maxDepth } }
}

/** Reads what comes before the messages and what comes after the known ones, as one body without those. */
function readOn(dialect: Dialect, bytes: Buffer, limits: Limits, tools: ToolsPlace, found: FoundBeginning, next: number): Reading {
  const { beginning: known, count } = found
  const text = bytes.toString('utf8', 0, known.start) + textOf(bytes.subarray(next))
  const marks = new MessageMarks()
  marks.keysElsewhere = (known.keys[count - 1] as number) - known.keysBefore
  const json = withPath(parseGuardedText(text, limits, marks, tools), limits.path)
  const view = dialect.readRequest(json, count === known.messages.length ? known.messages : known.messages.slice(0, count))
  const messages = messagesOf(view)
  // Where a new element went on with the last known message, its view is another one.
  const isOneToOne = messages.length === count + marks.ends.length
  const beginning = isOneToOne ? goOn(found, bytes, messages, marks, byteOffsets(text, marks, next, bytes)) : undefined
  return { body: new RequestBody(json, limits.listField, bytes), view, namesFiles: namesFiles(dialect, json), beginning }
}

/** Beyond this many pieces comparing them costs more than keeping the whole request. */
const mostPieces = 16

/** The beginning with the new messages of a request, which end at the bytes `ends`. */
function goOn(
  { beginning: known, count }: FoundBeginning,
  bytes: Buffer,
  messages: RequestView['messages'],
  { keys }: MessageMarks,
  ends: readonly number[],
): Beginning {
  const isWhole = count === known.ends.length
  if (isWhole && ends.length === 0) return known
  const last = ends.at(-1) ?? (known.ends[count - 1] as number)
  // A copy of what is new, so that the request itself can leave memory at once.
  const pieces =
    isWhole && known.pieces.length < mostPieces
      ? [...known.pieces, Buffer.from(bytes.subarray(known.ends.at(-1), last))]
      : [bytes.subarray(0, last)]
  return { ...known, pieces, ends: [...known.ends.slice(0, count), ...ends], keys: [...known.keys.slice(0, count), ...keys], messages }
}

/** The system prompt of a body that carries it beside its messages has no place among them. */
function messagesOf(view: RequestView): RequestView['messages'] {
  return view.messages[0]?.index === -1 ? view.messages.slice(1) : view.messages
}

/** Where the marked elements end in bytes, when the text after `marks.start` begins at byte `from`. */
function byteOffsets(text: string, marks: MessageMarks, from: number, bytes: Buffer): number[] {
  const after = text.length - marks.start
  if (after === bytes.length - from) return marks.ends.map((end) => from + end - marks.start)
  let place = marks.start
  let offset = from
  return marks.ends.map((end) => {
    offset += Buffer.byteLength(text.slice(place, end))
    place = end
    return offset
  })
}

const comma = 0x2c
const openBrace = 0x7b
const closeBracket = 0x5d

/** Where the next element of the list begins, or its closing bracket stands; -1 when neither follows, which is not for us to judge. */
function nextElement(bytes: Buffer, end: number): number {
  const next = skipSpace(bytes, end)
  if (bytes[next] === closeBracket) return next
  if (bytes[next] !== comma) return -1
  const element = skipSpace(bytes, next + 1)
  return bytes[element] === openBrace ? element : -1
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at += 1
  return at
}

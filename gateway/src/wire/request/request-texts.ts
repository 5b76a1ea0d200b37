/**
 * Every text of a request that a model would read, with the place it stands in, so that it can be read and written there: nothing that
 * is sent is out of sight. A dialect says what its fields mean; what nobody knows is read as text.
 */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'

/** What kind of words they are. `settings`: everything beside the conversation and the tools. */
export type TextPart = 'system' | 'user' | 'assistant' | 'tool_result' | 'tool_call' | 'tools' | 'settings'

/** A place with words of a request. */
export interface RequestText {
  readonly part: TextPart
  readonly holder: JsonObject | JsonValue[]
  readonly field: string | number
  /** The words are JSON: what they say stands in its values. */
  readonly isJson?: boolean
  /** Other words in this place would be another request: a name, a choice. */
  readonly isFixed?: boolean
}

/** How a value is read. */
export interface Reading {
  readonly part: TextPart
  /** Names below it are the user's own: none of them says that its value is no text. */
  readonly isOpen?: boolean
  readonly isFixed?: boolean
  readonly isJson?: boolean
}

/** How the fields of an object are read, where they are read another way than it is; `skip`: nothing of it. */
export interface ObjectReading {
  readonly reading: Reading
  readonly fields?: Readonly<Record<string, Reading | 'skip'>>
}

/** What a dialect knows of its requests. */
export interface TextRules {
  /** Fields of the body. All others are `settings`. */
  readonly fields: Readonly<Record<string, Reading | 'skip'>>
  /** An object below one of them. `skip`: nothing of it is read. */
  readonly object: (value: JsonObject, reading: Reading) => ObjectReading | 'skip'
}

/** Names, references, and ciphertext of vendors. */
const silent: ReadonlySet<string> = new Set(
  [
    'type id role status index detail format media_type mime_type mimeType cache_control cachePoint caller',
    'tool_call_id tool_use_id call_id toolUseId item_id file_id fileUri fileData s3Location',
    'signature thoughtSignature encrypted_content encrypted_index',
  ].flatMap((line) => line.split(' ')),
)
/** Media, in base64. */
const media: ReadonlySet<string> = new Set(['data', 'bytes', 'file_data', 'b64_json'])
/** Where media stand as an address. Anywhere else, what looks like one is text. */
const mediaAddresses: ReadonlySet<string | number> = new Set(['url', 'image_url', 'file_url', 'file_data', 'video_url'])
/** Settings whose words mean nothing but themselves. */
const loose: ReadonlySet<string> = new Set(['user', 'metadata', 'safety_identifier', 'prompt_cache_key', 'prediction', 'labels'])

/** The texts of a parsed request, in their order. */
export function readTexts(body: JsonObject, { fields, object }: TextRules): readonly RequestText[] {
  const found: RequestText[] = []
  for (const field of Object.keys(body)) {
    const reading = (Object.hasOwn(fields, field) ? fields[field] : undefined) ?? settingOf(field)
    if (reading !== 'skip') readValue(body, field, reading, object, found)
  }
  return found
}

function settingOf(field: string): Reading {
  return { part: 'settings', isOpen: true, isFixed: !loose.has(field) }
}

function readValue(
  holder: JsonObject | JsonValue[],
  field: string | number,
  reading: Reading,
  object: TextRules['object'],
  found: RequestText[],
): void {
  const value = (holder as Readonly<Record<string | number, JsonValue>>)[field]
  if (typeof value === 'string') {
    if (value === '' || (reading.isOpen !== true && mediaAddresses.has(field) && isMedium(value))) return
    const { part, isJson, isFixed } = reading
    found.push({ part, holder, field, ...(isJson === true ? { isJson } : {}), ...(isFixed === true ? { isFixed } : {}) })
  } else if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at += 1) readValue(value, at, reading, object, found)
  } else if (isObject(value)) readObject(value, reading, object, found)
}

function readObject(value: JsonObject, given: Reading, object: TextRules['object'], found: RequestText[]): void {
  const read: ObjectReading | 'skip' = given.isOpen === true ? { reading: given } : object(value, given)
  if (read === 'skip') return
  const { reading, fields = {} } = read
  const isMediumHolder = reading.isOpen !== true && value.type !== 'text'
  for (const field of Object.keys(value)) {
    const own = Object.hasOwn(fields, field) ? fields[field] : undefined
    if (own === 'skip') continue
    if (own !== undefined) readValue(value, field, own, object, found)
    else if (reading.isOpen === true) readValue(value, field, openReading(reading, field), object, found)
    else if (!silent.has(field) && !(isMediumHolder && media.has(field) && typeof value[field] === 'string'))
      readValue(value, field, field === 'name' ? { ...reading, isFixed: true } : reading, object, found)
  }
}

/** In the definition of a tool, only what describes may be written in other words. */
function openReading(reading: Reading, field: string): Reading {
  if (reading.part !== 'tools') return reading
  return { ...reading, isFixed: field !== 'description' && field !== 'title' }
}

/** A `data:` address with bytes in it (RFC 2397). */
function isMedium(text: string): boolean {
  return text.startsWith('data:') && /^data:[\w.+/;=-]{0,100};base64,/.test(text)
}

/** Definitions of tools. */
export const toolsReading: Reading = { part: 'tools', isOpen: true, isFixed: true }
/** What a call is made with, as an object. */
export const argumentsReading: Reading = { part: 'tool_call', isOpen: true }
/** The same, as JSON text. */
export const argumentsTextReading: Reading = { part: 'tool_call', isJson: true }
/** What a tool returned, as an object. */
export const resultReading: Reading = { part: 'tool_result', isOpen: true }

/**
 * Calls of templates in a request: `{template://name}` in place of the conversation or of one message of the user, or a name in
 * `template` or `template_name`. They are filled in before anybody has a view of the request: what is decided on is what goes
 * out. Values are text in a message and stay it: they make no message, and what stands in them is not read again.
 */
import type { RouteTemplates, Template } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import { asText, isObject, isRawJSON, type JsonObject, type JsonValue } from '../../core/json.ts'
import type { Dialect } from '../../wire/dialect.ts'
import type { AddedMessage } from '../../wire/request/added-messages.ts'
import type { ReadBody } from '../../wire/request/request-reader.ts'
import { saysMore } from './saying-nothing-else.ts'

/** What became of the calls of a request. */
export interface Templated {
  /** Those it calls, each once. */
  readonly names: readonly string[]
  /** What the caller has put in. */
  readonly values: readonly string[]
}

/** Most calls in one request, and most characters that they come to together. */
const mostCalls = 64
const mostCharacters = 2_000_000

const reference = /^\{template:\/\/([^{}]{1,200})\}$/

/** Whether a request that has been read may call one: no other is looked at more closely. */
export function mayCallTemplate({ body, view }: Pick<ReadBody, 'body' | 'view'>): boolean {
  const { template, template_name: templateName } = body.fields
  const isNamed = template !== undefined || templateName !== undefined
  return isNamed || view.messages.some(({ role, text }) => role === 'user' && reference.test(text))
}

/**
 * Changes the body. `templatesFor`: those that may be called with a model. Undefined where none is called. Throws `request.template`.
 */
export function callTemplates(
  body: JsonObject,
  dialect: Pick<Dialect, 'listField' | 'edit'>,
  all: ReadonlyMap<string, Template>,
  templatesFor: (model: string) => RouteTemplates | undefined,
): Templated | undefined {
  const { listField } = dialect
  const calls = callsIn(body, listField)
  const model = asText(body.model) || (calls.map(({ name }) => all.get(name)?.model).find((named) => named !== undefined) ?? '')
  const allowed = templatesFor(model)
  if (allowed === undefined) return undefined
  requireOneWay(body, listField)
  if (calls.length === 0) {
    if (allowed.isRequired) throw refused(undefined, 'models of this route are asked with a template, and it calls none')
    return undefined
  }
  if (calls.length > mostCalls) throw refused(undefined, `it calls more than ${mostCalls}`)
  const called = calls.map((call) => ({ ...call, template: found(allowed, call.name) }))
  const list = body[listField]
  if (allowed.isRequired && Array.isArray(list) && list.length > 0 && list.length !== calls.length) throw saysMoreIn(listField)
  const given = takeValues(
    body,
    called.map(({ template }) => template),
  )
  const more = allowed.isRequired ? saysMore(body, listField) : undefined
  if (more !== undefined) throw saysMoreIn(more)
  const filled = called.map(({ template, index }) => ({ index, messages: fill(template, given) }))
  const characters = filled.flatMap(({ messages }) => messages).reduce((sum, { text }) => sum + text.length, 0)
  if (characters > mostCharacters) throw refused(undefined, `what its templates come to is longer than ${mostCharacters} characters`)
  if (asText(body.model) === '') body.model = model
  for (const { index, messages } of filled.toReversed()) putIn(body, dialect, index, messages)
  return { names: [...new Set(called.map(({ name }) => name))], values: [...given.values()] }
}

interface TemplateCall {
  readonly name: string
  /** The message it stands for; undefined: all of them. */
  readonly index: number | undefined
}

/** Whoever says it in two ways, or has a conversation as well, would not learn which of them counted. */
function requireOneWay(body: JsonObject, listField: string): void {
  const { template, template_name: templateName, [listField]: list } = body
  if (template === undefined && templateName === undefined) return
  if (template !== undefined && templateName !== undefined) throw refused('template_name', 'it has `template` as well')
  if (asText(template ?? templateName) === '') throw refused(template === undefined ? 'template_name' : 'template', 'it is no name')
  const isEmpty = list === undefined || list === null || list === '' || (Array.isArray(list) && list.length === 0)
  if (!isEmpty) throw refused(listField, 'it stands beside the name of a template, which takes its place: leave it out')
}

function callsIn(body: JsonObject, listField: string): readonly TemplateCall[] {
  const whole = reference.exec(asText(body[listField]))?.[1] ?? (asText(body.template) || asText(body.template_name))
  if (whole !== '') return [{ name: whole, index: undefined }]
  const list = body[listField]
  if (!Array.isArray(list)) return []
  return list.flatMap((message, index) => {
    const name = reference.exec(saidBy(message))?.[1]
    return name === undefined ? [] : [{ name, index }]
  })
}

/** What a message of the user says, if that is one text. */
function saidBy(message: JsonValue): string {
  if (!isObject(message) || (message.role ?? 'user') !== 'user') return ''
  const content = message.content ?? message.parts
  if (typeof content === 'string') return content
  const [only] = Array.isArray(content) && content.length === 1 ? content : []
  return isObject(only) ? asText(only.text) : ''
}

function found({ byName }: RouteTemplates, name: string): Template {
  const template = byName.get(name)
  if (template === undefined) throw refused(name, 'there is none of this name for its model')
  return template
}

/** The values of variables, taken out of the body. */
function takeValues(body: JsonObject, templates: readonly Template[]): ReadonlyMap<string, string> {
  const variables = new Map(templates.flatMap((template) => [...template.variables]))
  const isBeside = body.properties === undefined && body.template === undefined && typeof body.template_name === 'string'
  const holder = isBeside ? body : (body.properties ?? {})
  if (!isObject(holder)) throw refused('properties', 'it is no object')
  const names = isBeside ? [...variables.keys()].filter((name) => Object.hasOwn(body, name)) : Object.keys(holder)
  const values = new Map<string, string>()
  for (const name of names) {
    const variable = variables.get(name)
    if (variable === undefined) throw refused(name, 'no template that it calls has this variable')
    values.set(name, valueOf(holder[name], name, variable.longest))
    if (isBeside && !saidOfEveryCall.has(name)) delete body[name]
  }
  for (const field of ['template', 'template_name', 'properties']) delete body[field]
  return values
}

/** A variable may be called as these are; the request needs them all the same. */
const saidOfEveryCall: ReadonlySet<string> = new Set(['model', 'stream'])

function valueOf(value: JsonValue | undefined, name: string, longest: number): string {
  const text = typeof value === 'string' ? value : isScalar(value) ? JSON.stringify(value) : undefined
  if (text === undefined) throw refused(name, 'its value is neither text nor a number nor true or false')
  if (text.length > longest) throw refused(name, `its value is longer than ${longest} characters`)
  // Whoever stands behind this gateway may look for calls as well.
  if (text.includes('{template://')) throw refused(name, 'its value calls a template')
  return text
}

function isScalar(value: JsonValue | undefined): boolean {
  return typeof value === 'number' || typeof value === 'boolean' || isRawJSON(value)
}

function fill({ name, messages, variables }: Template, given: ReadonlyMap<string, string>): readonly AddedMessage[] {
  const valueFor = (variable: string): string => {
    const value = given.get(variable) ?? variables.get(variable)?.default
    if (value === undefined) throw refused(variable, `the template \`${name}\` needs this variable`)
    return value
  }
  return messages.map(({ role, pieces }) => ({
    role,
    text: pieces.map((piece) => (typeof piece === 'string' ? piece : valueFor(piece.variable))).join(''),
  }))
}

function putIn(
  body: JsonObject,
  { listField, edit }: Pick<Dialect, 'listField' | 'edit'>,
  index: number | undefined,
  messages: readonly AddedMessage[],
): void {
  const written: JsonObject = { [listField]: [] }
  edit.addMessages(written, { prepend: messages.filter(({ role }) => role !== 'system'), append: [] })
  const made = written[listField]
  const own = Array.isArray(made) ? made : []
  const list = body[listField]
  body[listField] = index === undefined || !Array.isArray(list) ? own : [...list.slice(0, index), ...own, ...list.slice(index + 1)]
  const system = messages.filter(({ role }) => role === 'system')
  if (system.length > 0) edit.addMessages(body, { prepend: system, append: [] })
}

function saysMoreIn(field: string): TurnwardError {
  return refused(field, 'models of this route are asked with a template alone, and this says more')
}

/** Names are said only as far as they are names. */
function refused(subject: string | undefined, why: string): TurnwardError {
  const isName = subject !== undefined && /^[\w .-]{1,128}$/.test(subject)
  return new TurnwardError('request.template', { subject: isName ? subject : undefined, why })
}

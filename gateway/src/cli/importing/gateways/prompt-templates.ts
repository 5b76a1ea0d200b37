/** Templates that callers of another gateway fill in, as `templates`, and what of them a route lets be called. */
import { templateNameSchema } from '@turnward/contract/config/templates'
import { literal, type ForeignTexts } from './foreign-text.ts'
import type { Draft } from './draft.ts'
import { DraftEntry } from './draft-entry.ts'
import type { Foreign } from './foreign-value.ts'

export interface ForeignTemplateMessage {
  readonly role: string
  readonly text: string
  /** What says them. */
  readonly from: readonly Foreign[]
}

export interface ForeignTemplate {
  readonly name: Foreign
  /** Undefined when it is none, which was spoken of. */
  readonly messages: readonly ForeignTemplateMessage[] | undefined
  readonly model: Foreign | undefined
  /** What is different about it. */
  readonly why?: string | undefined
}

export interface ForeignTemplates {
  readonly templates: readonly ForeignTemplate[]
  /** Whether nothing else may be said, and what says so. */
  readonly isRequired: boolean
  readonly required: Foreign | undefined
  /** What says that they are there. */
  readonly said: Foreign | undefined
  /** A variable that nobody gives a value is empty there. */
  readonly isEmptyUsual: boolean
}

const roles: readonly string[] = ['system', 'user', 'assistant']
const mostMessages = 32
const longest = 32_000
const variable = /\{\{[ ]{0,8}([A-Za-z_][A-Za-z0-9_]{0,62})[ ]{0,8}\}\}/g
const anyOfAll = 'any template of the configuration may be called there, and nothing else is said'
const otherModel = 'the model of a template is what its route is called here'

/** Makes the templates, and returns how they are called. `model`: what clients ask the route for that lists them. */
export function takeTemplates(
  { templates, isEmptyUsual }: ForeignTemplates,
  model: string,
  owner: string,
  { draft, texts }: { readonly draft: Draft; readonly texts: ForeignTexts },
): readonly string[] {
  return templates.flatMap((template) => {
    if (template.messages === undefined) return []
    const entry = new DraftEntry()
    if (!setMessages(entry, template, owner, texts)) return []
    setModel(entry, template.model, model)
    if (isEmptyUsual) setEmpty(entry, template.messages)
    const name = take(template, entry, draft)
    return name === undefined ? [] : [name]
  })
}

/** Says on a route which templates may be called there. */
export function listTemplates(route: DraftEntry, names: readonly string[], { isRequired, required, said }: ForeignTemplates): void {
  const listed = route.value['templates']
  if (isRequired || listed === 'required') route.set('templates', 'required')
  else route.set('templates', [...new Set([...((listed as readonly string[] | undefined) ?? []), ...names])])
  for (const from of [said, required]) if (from !== undefined) route.from(from, 'templates', isRequired ? anyOfAll : undefined)
}

/** Said where nothing but templates was let through, and there are none. */
export const noneIsLeft =
  'A route let only templates through, and none of them could be taken over: its models take any request until `templates: required` is said there.'

function setMessages(entry: DraftEntry, { name, messages = [], why }: ForeignTemplate, owner: string, texts: ForeignTexts): boolean {
  const problem =
    messages.length === 0 || messages.length > mostMessages
      ? `a template has from one to ${mostMessages} messages here`
      : messages.map(problemOf).find((found) => found !== undefined)
  if (problem !== undefined) {
    for (const from of [name, ...messages.flatMap((message) => message.from)]) from.left(problem)
    return false
  }
  const written = messages.map(({ role, text, from }, at) => {
    const words = texts.words(text, owner, `${owner}_TEMPLATE`)
    for (const one of from) entry.from(one, `messages[${at}]`, words.why ?? why)
    return { role, text: words.text }
  })
  entry.set('messages', written)
  return true
}

function problemOf({ role, text }: ForeignTemplateMessage): string | undefined {
  if (!roles.includes(role)) return 'messages of a template are of `system`, `user` and `assistant`'
  if (text === '' || text.length > longest) return `a message here is a text of at most ${longest} characters`
  if (text.replaceAll(variable, '').includes('{{'))
    return 'a variable is `{{name}}` here, of letters, digits and `_`, and nothing is worked out'
  return undefined
}

/** Callers of theirs need not say a model, which follows from the path there. */
function setModel(entry: DraftEntry, said: Foreign | undefined, model: string): void {
  if (model.includes('*')) return
  const isSame = said !== undefined && literal(said.text() ?? '') === model
  entry.set('model', model, isSame ? said : undefined)
  if (!isSame) said?.left(otherModel)
}

function setEmpty(entry: DraftEntry, messages: readonly ForeignTemplateMessage[]): void {
  const names = new Set(messages.flatMap(({ text }) => [...text.matchAll(variable)].map(([, name = '']) => name)))
  if (names.size > 0) entry.set('variables', Object.fromEntries([...names].map((name) => [name, { default: '' }])))
}

const writtenAnew = 'its name is written otherwise here, and callers say it so'
const ofFirst = 'it is one with that of another route, whose model is asked where a request names none'
const another = 'another template has its name, and callers say this one'

/** Under its own name where it can have that: callers say it. */
function take({ name: from }: ForeignTemplate, entry: DraftEntry, draft: Draft): string | undefined {
  const name = from.text() ?? ''
  if (!templateNameSchema.safeParse(name).success) return draft.add('templates', name, entry.from(from, '', writtenAnew))
  const known = draft.entryOf('templates', name)
  if (known === undefined) return draft.addAs('templates', name, entry.from(from, ''))
  if (withoutModel(known) !== withoutModel(entry.value)) return draft.add('templates', name, entry.from(from, '', another))
  entry.from(from, '', JSON.stringify(known) === JSON.stringify(entry.value) ? undefined : ofFirst).taken(`templates.${name}`)
  return name
}

/** The same words for two routes are one template. */
function withoutModel(template: unknown): string {
  return JSON.stringify({ ...(template as object), model: undefined })
}

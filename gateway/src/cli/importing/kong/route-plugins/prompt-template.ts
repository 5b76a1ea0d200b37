/** `ai-prompt-template`: requests with blanks, each written as JSON in a text. */
import { isObject, type JsonValue } from '../../../../core/json.ts'
import type { Foreign } from '../../gateways/foreign-value.ts'
import { toldName } from '../../gateways/naming.ts'
import {
  listTemplates,
  noneIsLeft,
  takeTemplates,
  type ForeignTemplate,
  type ForeignTemplateMessage,
  type ForeignTemplates,
} from '../../gateways/prompt-templates.ts'
import type { RoutePart } from '../../gateways/route-part.ts'
import type { KongPlugin } from '../plugins.ts'
import type { KongMaking } from '../target.ts'
import { ofRequests } from './left-of-requests.ts'

export function fillTemplates({ get, whole }: KongPlugin, owner: string, making: KongMaking): RoutePart {
  const required = get('allow_untemplated_requests')
  const theirs: ForeignTemplates = {
    templates: (get('templates')?.items() ?? []).flatMap(templateOf),
    isRequired: required?.flag() === false,
    required: required?.flag() === undefined ? undefined : required,
    said: whole.get('name'),
    isEmptyUsual: false,
  }
  return (route) => {
    const names = making.templates.get(whole.at) ?? takeTemplates(theirs, String(route.value['model']), owner, making)
    making.templates.set(whole.at, names)
    if (names.length > 0) listTemplates(route, names, theirs)
    else if (theirs.isRequired) whole.note(noneIsLeft)
  }
}

const inConversations = 'it is called in a conversation, and not at completions'

function templateOf(item: Foreign): ForeignTemplate[] {
  const [name, from] = [item.get('name'), item.get('template')]
  const text = from?.text()
  if (name === undefined || from === undefined || text === undefined) return []
  const request = requestOf(text)
  if (request === undefined) {
    item.left('it is no request in JSON whose blanks are within its texts')
    return [{ name, messages: undefined, model: undefined }]
  }
  const { messages, prompt, model, ...others } = request
  if (typeof prompt === 'string')
    return [{ name, messages: [{ role: 'user', text: prompt, from: [from] }], model: undefined, why: inConversations }]
  const left = Object.keys({ ...others, ...(model !== undefined && { model }) }).map(toldName)
  const why = left.length === 0 ? undefined : `other fields of a request are for callers to say: ${left.join(', ')}`
  return [{ name, messages: messagesOf(messages, from), model: undefined, why }]
}

function requestOf(text: string): Readonly<Record<string, JsonValue>> | undefined {
  try {
    const request: JsonValue = JSON.parse(text)
    return isObject(request) ? request : undefined
  } catch {
    return undefined
  }
}

function messagesOf(messages: JsonValue | undefined, from: Foreign): readonly ForeignTemplateMessage[] {
  return (Array.isArray(messages) ? messages : []).map((message) => {
    const { role, content } = isObject(message) ? message : {}
    return { role: typeof role === 'string' ? role : '', text: typeof content === 'string' ? content : '', from: [from] }
  })
}

export const leftOfTemplates: Readonly<Record<string, string>> = {
  ...ofRequests,
  templates: 'no template became of it',
  allow_untemplated_requests: 'none of its templates was taken over',
  log_original_request: 'the decision log keeps no prompts',
}

/** `ai-prompt-template`: conversations with blanks. A request that names none of them is refused there. */
import type { Foreign } from '../../gateways/foreign-value.ts'
import { listTemplates, noneIsLeft, takeTemplates, type ForeignTemplate, type ForeignTemplates } from '../../gateways/prompt-templates.ts'
import type { RoutePart } from '../../gateways/route-part.ts'
import type { ApisixMaking } from '../instance.ts'
import type { ApisixPlugin } from '../plugins.ts'

export function fillTemplates({ config }: ApisixPlugin, owner: string, making: ApisixMaking): RoutePart {
  const theirs: ForeignTemplates = {
    templates: (config.get('templates')?.items() ?? []).flatMap(templateOf),
    isRequired: true,
    required: undefined,
    said: undefined,
    isEmptyUsual: true,
  }
  return (route) => {
    const names = making.templates.get(config.at) ?? takeTemplates(theirs, String(route.value['model']), owner, making)
    making.templates.set(config.at, names)
    if (names.length > 0) listTemplates(route, names, theirs)
    else config.note(noneIsLeft)
  }
}

function templateOf(item: Foreign): ForeignTemplate[] {
  const [name, template] = [item.get('name'), item.get('template')]
  if (name === undefined) return []
  const messages = template
    ?.get('messages')
    ?.items()
    .map((message) => {
      const [role, content] = [message.get('role'), message.get('content')]
      return { role: role?.text() ?? '', text: content?.text() ?? '', from: [role, content].filter((from) => from !== undefined) }
    })
  return [{ name, messages: messages ?? [], model: template?.get('model') }]
}

export const leftOfTemplates: Readonly<Record<string, string>> = {
  max_req_body_size: 'one limit holds for all requests: `limits.max_body_bytes`',
  templates: 'of a template its name, its model and its messages are taken over',
}

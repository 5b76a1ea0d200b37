/** `ai-prompt-decorator`: messages before and behind each conversation. */
import { addedMessages } from '../../gateways/added-messages.ts'
import type { RoutePart } from '../../gateways/route-part.ts'
import type { ApisixMaking } from '../instance.ts'
import type { ApisixPlugin } from '../plugins.ts'

export function prepend({ config }: ApisixPlugin, owner: string, { texts }: ApisixMaking): RoutePart {
  return addedMessages({ prepend: config.get('prepend'), append: undefined, said: undefined }, owner, texts)
}

export function append({ config }: ApisixPlugin, owner: string, { texts }: ApisixMaking): RoutePart {
  return addedMessages({ prepend: undefined, append: config.get('append'), said: undefined }, owner, texts)
}

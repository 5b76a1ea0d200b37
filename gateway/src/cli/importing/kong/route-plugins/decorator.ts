/** `ai-prompt-decorator`: messages before and behind each conversation. */
import { addedMessages } from '../../gateways/added-messages.ts'
import type { RoutePart } from '../../gateways/route-part.ts'
import type { KongPlugin } from '../plugins.ts'
import type { KongMaking } from '../target.ts'
import { ofRequests } from './left-of-requests.ts'

export function decorate({ get, whole }: KongPlugin, owner: string, { texts }: KongMaking): RoutePart {
  const prompts = get('prompts')
  return addedMessages({ prepend: prompts?.get('prepend'), append: prompts?.get('append'), said: whole.get('name') }, owner, texts)
}

export const leftOfDecorator = ofRequests

/** `ai-prompt-guard`: patterns that prompts may have, and that they may not. */
import { takePromptGuard } from '../../gateways/prompt-guard.ts'
import type { RoutePart } from '../../gateways/route-part.ts'
import type { KongPlugin } from '../plugins.ts'
import type { KongMaking } from '../target.ts'
import { guardPart } from './guard-part.ts'
import { ofRequests } from './left-of-requests.ts'

export function guardPrompts(plugin: KongPlugin, owner: string, making: KongMaking): RoutePart | undefined {
  const { get, whole } = plugin
  return guardPart(plugin, making, () => {
    const guard = {
      deny: get('deny_patterns'),
      allow: get('allow_patterns'),
      allRoles: get('match_all_roles'),
      history: get('allow_all_conversation_history'),
      isAboutLast: get('allow_all_conversation_history')?.flag() === true,
      said: whole.get('name'),
    }
    const name = takePromptGuard(`${owner}-prompts`, guard, making.draft, making.texts)
    return name === undefined ? [] : [name]
  })
}

export const leftOfPromptGuard = ofRequests

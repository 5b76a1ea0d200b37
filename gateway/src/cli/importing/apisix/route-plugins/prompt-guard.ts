/** `ai-prompt-guard`: patterns that prompts may have, and that they may not. */
import { takePromptGuard } from '../../gateways/prompt-guard.ts'
import type { RoutePart } from '../../gateways/route-part.ts'
import type { ApisixMaking } from '../instance.ts'
import type { ApisixPlugin } from '../plugins.ts'
import { guardPart } from './guard-part.ts'

export function guardPrompts(plugin: ApisixPlugin, owner: string, making: ApisixMaking): RoutePart | undefined {
  const { config } = plugin
  return guardPart(plugin, making, () => {
    const guard = {
      deny: config.get('deny_patterns'),
      allow: config.get('allow_patterns'),
      allRoles: config.get('match_all_roles'),
      history: config.get('match_all_conversation_history'),
      isAboutLast: config.get('match_all_conversation_history')?.flag() !== true,
      said: undefined,
    }
    const name = takePromptGuard(`${owner}-prompts`, guard, making.draft, making.texts)
    return name === undefined ? [] : [name]
  })
}

/** The kind `webhook`: an endpoint of the operator's own. What it is sent and answers is ours, and in docs/guards.md. */
import { createHmac } from 'node:crypto'
import type { GuardConfig } from '@turnward/contract/config'
import type { Guard } from '../../../config/snapshot.ts'
import { type Examiner, kindsOf, ServiceFailure } from '../examiner.ts'
import { askService } from './asking-service.ts'

type WebhookConfig = Extract<GuardConfig, { kind: 'webhook' }>

export function examineByWebhook({ secret, url }: WebhookConfig, guard: Guard): Examiner {
  return {
    most: 200_000,
    async examine(side, texts, asking) {
      const { caller, session, turn, model, services } = asking
      const body = {
        guard: guard.name,
        on: side,
        model,
        principal: caller.principal.id,
        session: session?.id ?? null,
        turn,
        texts: texts.map(({ place, text }) => ({ place, text })),
      }
      const time = Math.floor(services.clock.now() / 1000)
      const signature =
        secret === undefined
          ? undefined
          : createHmac('sha256', secret)
              .update(`${time}.${JSON.stringify(body)}`)
              .digest('hex')
      const headers = signature === undefined ? [] : ['turnward-signature', `t=${time},v1=${signature}`]
      const answer = await askService(asking, guard, { path: new URL(url).pathname === '/' ? '/' : '', body, headers })
      const { action, found = ['flagged'], texts: written } = answer
      if (action === 'pass') return { found: [] }
      const kinds = kindsOf(Array.isArray(found) ? found : [])
      if (action === 'block') return { found: kinds.length === 0 ? ['flagged'] : kinds }
      if (action !== 'redact') throw new ServiceFailure('its `action` is none of `pass`, `block` and `redact`')
      if (!Array.isArray(written) || written.length !== texts.length || !written.every((text) => typeof text === 'string'))
        throw new ServiceFailure('its `texts` are not one for each that it was sent')
      return { found: kinds.length === 0 ? ['flagged'] : kinds, texts: written }
    },
  }
}

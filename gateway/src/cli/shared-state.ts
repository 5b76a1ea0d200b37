/** Opens the state that replicas share. */
import type { OpeningSettings } from '../config/opening-settings.ts'
import type { Clock } from '../core/clock.ts'
import { TurnwardError } from '../core/error.ts'
import type { Logger } from '../core/logger.ts'
import type { StateStore } from '../state/state-store.ts'

/** Rejects with `state.unavailable` when it cannot be reached. */
export async function openSharedState(
  _settings: Pick<OpeningSettings, 'state'>,
  _options: { readonly clock: Clock; readonly logger: Logger },
): Promise<StateStore> {
  throw new TurnwardError('config.not_available', { subject: 'state.kind' })
}

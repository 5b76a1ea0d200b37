/**
 * Whose answers are meant: those of a principal, an application and an agent together. The key of an answer is made of them
 * and of its id, so that an id of somebody else's is unknown like any other.
 */
import type { Snapshot } from '../../config/snapshot.ts'
import { keyedHash } from '../../core/hash.ts'
import type { Caller } from '../../core/principal.ts'
import { RememberedHashes } from '../../core/remembered-hashes.ts'
import type { Services } from '../services.ts'

/** Whose answers are meant, and what they are kept with. */
export interface Keeper {
  readonly services: Pick<Services, 'state' | 'clock' | 'secret'>
  readonly snapshot: Snapshot
  readonly caller: Pick<Caller, 'consumer' | 'actor'> & { readonly principal: Pick<Caller['principal'], 'id'> }
}

const owners = new RememberedHashes()

/** Key of what belongs to a caller. */
export function ownerOf({ services, caller: { principal, consumer, actor } }: Keeper): string {
  return owners.of(services.secret, 'keeps', principal.id, consumer ?? '', actor ?? '')
}

/** Key of the answer, the item, the conversation, the file or the batch that a caller knows by this id. */
export function keyOf(keeper: Keeper, kind: 'response' | 'item' | 'conversation' | 'file' | 'batch', id: string): string {
  // 144 bits: nobody finds another id for a key, and there are many keys.
  return keyedHash(keeper.services.secret, kind, ownerOf(keeper), id).slice(0, 24)
}

export function expiryOf({ services, snapshot: { settings } }: Keeper): number {
  return services.clock.now() + (settings.responses.ttl_ms ?? settings.turns.session_idle_ms)
}

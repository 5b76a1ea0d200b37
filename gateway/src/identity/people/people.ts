/** Who a person is that an issuer, an edge or a certificate names: a principal, or a coded refusal. */
import type { Snapshot } from '../../config/snapshot.ts'
import type { Principal } from '../../core/principal.ts'

/** A person as somebody else knows them. */
export interface NamedPerson {
  /** A name under `identity.issuers`, `turnward` for our own tokens, `edge:NAME`, `certificate`. */
  readonly issuer: string
  /** What the issuer never gives to another (`sub`). */
  readonly subject: string
  /** What the person is known by here: the id of the principal. */
  readonly user: string
  readonly emails: readonly string[]
  readonly groups: readonly string[]
  readonly kind: 'human' | 'workload'
  readonly provision: 'known' | 'auto'
}

export interface People {
  /** Throws, or rejects with, `auth.unknown_person`, `auth.other_issuer`, `auth.disabled` or `store.failed`. */
  principalOf(named: NamedPerson, snapshot: Snapshot): Principal | Promise<Principal>
}

/** How the authorization server names a person in what it keeps: who signed it in, and its principal. Pure. */

export interface Account {
  /** Principal id. */
  readonly person: string
  /** Name of the issuer it signed in with; null for a local account. */
  readonly issuer: string | null
}

/** Names of issuers have no spaces. */
export function accountId({ person, issuer }: Account): string {
  return `${issuer ?? ''} ${person}`
}

/** Undefined for what `accountId` did not make. */
export function accountOf(id: string): Account | undefined {
  const space = id.indexOf(' ')
  if (space === -1 || space === id.length - 1) return undefined
  return { person: id.slice(space + 1), issuer: space === 0 ? null : id.slice(0, space) }
}

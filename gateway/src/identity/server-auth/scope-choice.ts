/** Which scopes are asked for (MCP authorization, "Scope Selection Strategy"). Pure. */

export interface ScopeSources {
  /** What the configuration says, or a person has to agree to; counts before everything else. */
  readonly configured: readonly string[] | undefined
  /** What the server said when it refused. */
  readonly challenged: readonly string[]
  /** What the server says there is. */
  readonly supported: readonly string[] | undefined
}

/** Empty: nothing is said, and the authorization server decides. */
export function chooseScopes({ configured, challenged, supported = [] }: ScopeSources): readonly string[] {
  if (configured !== undefined) return configured
  return challenged.length > 0 ? challenged : supported
}

/** The same with the scope that a refresh token needs, where the authorization server has it. */
export function withOfflineAccess(scopes: readonly string[], issuerScopes: readonly string[] | undefined): readonly string[] {
  const offline = 'offline_access'
  return issuerScopes?.includes(offline) === true && !scopes.includes(offline) ? [...scopes, offline] : scopes
}

/** Scopes of several lists, each once: a new token takes the place of the old one, so what that could do is asked for again. */
export function unionOf(...lists: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(lists.flat())]
}

/** Who acts in access tokens that are about to be signed: the server makes the token first and asks for its claims later. */
const acting = new WeakMap<object, object>()

/** Says who acts, the nearest first. */
export function setActors(token: object, actors: readonly string[]): void {
  const act = actors.reduceRight<object | undefined>((inner, sub) => (inner === undefined ? { sub } : { sub, act: inner }), undefined)
  if (act !== undefined) acting.set(token, act)
}

/** `act` of the token (RFC 8693, section 4.1); undefined where nobody acts for anybody. */
export function actOf(token: object): object | undefined {
  return acting.get(token)
}

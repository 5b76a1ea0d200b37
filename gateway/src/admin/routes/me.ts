/** Who one is here, and the provider credentials one looks after. */
import { meSchema, ownCredentialsSchema, removedCredentialSchema, storedOwnCredentialSchema } from '@turnward/contract/api/me'
import { credentialRequestSchema } from '@turnward/contract/stored-credential'
import { managedGroups } from '../../identity/credential-managers.ts'
import type { Services } from '../../turns/services.ts'
import { apiRoute, type ApiRoute } from '../api-route.ts'
import { createOwnCredentials } from '../own-credentials.ts'

export function meRoutes(services: Services): readonly ApiRoute[] {
  const { snapshot } = services
  const credentials = createOwnCredentials(services)
  const tag = 'Me'
  return [
    apiRoute({
      path: '/api/me',
      method: 'GET',
      needs: 'caller',
      tag,
      summary: 'Who the request is from, and what they may do',
      answer: meSchema,
      run: async ({ administrator: { id, groups, roles, form } }) => ({
        id,
        groups,
        roles,
        manages: managedGroups({ id }, snapshot()),
        ...(form === undefined ? {} : { form: { header: 'x-turnward-form', value: form } }),
      }),
    }),
    apiRoute({
      path: '/api/me/credentials',
      method: 'GET',
      needs: 'person',
      tag,
      summary: "One's provider credentials, and those of the groups one looks after",
      answer: ownCredentialsSchema,
      run: async ({ administrator }) => ({ credentials: await credentials.list(administrator) }),
    }),
    apiRoute({
      path: '/api/me/credentials',
      method: 'POST',
      needs: 'person',
      tag,
      summary: 'Tries a provider credential and stores it; its value never comes out again',
      body: credentialRequestSchema,
      isSecret: true,
      answer: storedOwnCredentialSchema,
      run: ({ administrator, body }) => credentials.store(administrator, body),
    }),
    apiRoute({
      path: '/api/me/credentials/{id...}',
      method: 'DELETE',
      needs: 'person',
      tag,
      summary: 'Removes a provider credential',
      answer: removedCredentialSchema,
      run: ({ administrator, parameters: { id = '' } }) => credentials.remove(administrator, id),
    }),
  ]
}

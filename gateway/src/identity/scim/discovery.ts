/** What directories may ask about the endpoint itself: `ServiceProviderConfig`, `ResourceTypes`, `Schemas` (RFC 7644, section 4). */
import type { JsonObject } from '../../core/json.ts'
import { schemaUris } from './attributes.ts'

const kinds = 'urn:ietf:params:scim:schemas:core:2.0:'

/** What the endpoint can do. */
export function serviceProviderConfig(base: string): JsonObject {
  return {
    schemas: [`${kinds}ServiceProviderConfig`],
    patch: { supported: true },
    bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
    filter: { supported: true, maxResults: 500 },
    changePassword: { supported: false },
    sort: { supported: false },
    etag: { supported: true },
    authenticationSchemes: [
      {
        type: 'oauthbearertoken',
        name: 'Bearer token',
        description: 'The token of the directory in the configuration',
        specUri: 'https://www.rfc-editor.org/rfc/rfc6750',
        primary: true,
      },
    ],
    meta: { resourceType: 'ServiceProviderConfig', location: `${base}/ServiceProviderConfig` },
  }
}

/** The kinds of resources. */
export function resourceTypes(base: string): readonly JsonObject[] {
  const kind = (id: 'User' | 'Group', schema: string, more: JsonObject): JsonObject => ({
    schemas: [`${kinds}ResourceType`],
    id,
    name: id,
    endpoint: `/${id}s`,
    schema,
    ...more,
    meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/${id}` },
  })
  return [
    kind('User', schemaUris.user, { schemaExtensions: [{ schema: schemaUris.enterprise, required: false }] }),
    kind('Group', schemaUris.group, {}),
  ]
}

interface Described {
  readonly type?: 'string' | 'boolean' | 'complex'
  readonly many?: boolean
  readonly required?: boolean
  readonly exact?: boolean
  readonly unique?: boolean
  readonly sub?: Readonly<Record<string, Described>>
}

const plural: Described = { type: 'complex', many: true, sub: { value: {}, display: {}, type: {}, primary: { type: 'boolean' } } }

const described: readonly { readonly id: string; readonly name: string; readonly attributes: Readonly<Record<string, Described>> }[] = [
  {
    id: schemaUris.user,
    name: 'User',
    attributes: {
      userName: { required: true, unique: true },
      externalId: { exact: true },
      displayName: {},
      name: { type: 'complex', sub: { formatted: {}, familyName: {}, givenName: {}, middleName: {} } },
      nickName: {},
      title: {},
      userType: {},
      preferredLanguage: {},
      locale: {},
      timezone: {},
      active: { type: 'boolean' },
      emails: plural,
      phoneNumbers: plural,
    },
  },
  {
    id: schemaUris.group,
    name: 'Group',
    attributes: {
      displayName: { required: true, exact: true, unique: true },
      externalId: { exact: true },
      members: { type: 'complex', many: true, sub: { value: { exact: true }, display: {}, type: {}, $ref: {} } },
    },
  },
  {
    id: schemaUris.enterprise,
    name: 'EnterpriseUser',
    attributes: {
      employeeNumber: {},
      costCenter: {},
      organization: {},
      division: {},
      department: {},
      manager: { type: 'complex', sub: { value: {}, displayName: {} } },
    },
  },
]

/** The schemas, with the attributes that are kept. */
export function schemas(base: string): readonly JsonObject[] {
  return described.map(({ id, name, attributes }) => ({
    schemas: [`${kinds}Schema`],
    id,
    name,
    attributes: Object.entries(attributes).map(attributeOf),
    meta: { resourceType: 'Schema', location: `${base}/Schemas/${id}` },
  }))
}

function attributeOf([name, { type = 'string', many = false, required = false, exact = false, unique = false, sub }]: [
  string,
  Described,
]): JsonObject {
  return {
    name,
    type,
    multiValued: many,
    required,
    caseExact: exact,
    mutability: 'readWrite',
    returned: 'default',
    uniqueness: unique ? 'server' : 'none',
    ...(sub === undefined ? {} : { subAttributes: Object.entries(sub).map(attributeOf) }),
  }
}

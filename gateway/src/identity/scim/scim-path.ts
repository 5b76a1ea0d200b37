/** Where directories find the endpoint. */
export const scimPath = '/scim/v2'

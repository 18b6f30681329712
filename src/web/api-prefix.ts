/** Where the API is, below the base path. */
export const API_PREFIX = '/api/v1';

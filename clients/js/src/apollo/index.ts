export { LonghaulCache, typePolicies } from './cache.ts';
export { possibleTypes } from './cache-facts.ts';
export { LonghaulLink } from './link.ts';

/** Version of this package, which equals core's. */
export const version = "0.1.0";

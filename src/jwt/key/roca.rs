//! Detects RSA keys of Infineon's library, whose moduli can be factored (CVE-2017-15361, "ROCA").
//!
//! Modulo each small prime, such a modulus is a power of 65537. The check is the fingerprint of
//! "The Return of Coppersmith's Attack" (Nemec and others, 2017), section 2.2.

/// The primes up to 167, to which all such moduli extend, for which the powers of 65537 are fewer
/// than the remainders. A modulus of another origin passes for all of them once in 2²⁷ times.
const PRIMES: [u32; 17] =
    [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

/// Whether a modulus, which is big-endian, has the fingerprint.
pub(super) fn has_fingerprint(modulus: &[u8]) -> bool {
    PRIMES.into_iter().all(|prime| {
        let remainder = modulus.iter().fold(0, |sum, byte| (sum * 256 + u32::from(*byte)) % prime);
        is_power_of_65537(remainder, prime)
    })
}

fn is_power_of_65537(remainder: u32, prime: u32) -> bool {
    let next = |power: &u32| Some(power * (65537 % prime) % prime);
    // The powers repeat after at most `prime - 1` of them.
    std::iter::successors(Some(1), next).take(prime as usize).any(|power| power == remainder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_65537_have_the_fingerprint_and_other_numbers_do_not() {
        for exponent in 1..8 {
            let power = 65537_u128.pow(exponent.min(7)).to_be_bytes();
            assert!(has_fingerprint(&power), "{exponent}");
        }
        // 2 is no power of 65537 modulo 11, and 0 is none modulo any prime.
        for other in [0_u32, 2, 11, 65537 * 2, 65537 * 11] {
            assert!(!has_fingerprint(&other.to_be_bytes()), "{other}");
        }
    }

    #[test]
    fn the_primes_are_those_that_tell_something() {
        let is_prime = |number: &u32| (2..*number).all(|divisor| !number.is_multiple_of(divisor));
        let tells =
            |prime: &u32| (1..*prime).any(|remainder| !is_power_of_65537(remainder, *prime));
        let all: Vec<_> = (3..=167).filter(is_prime).filter(tells).collect();
        assert_eq!(all, PRIMES);
    }
}

//! Words of which a standard lists some.

/// Makes an enum of words: those of the standard, and `Unknown` for all others, as they were written.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal $(| $other:literal)*),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
            /// A word that no standard has there.
            Unknown(String),
        }

        impl $name {
            /// Returns the word as it is written.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Unknown(word) => word,
                }
            }

            /// Reads a word, whatever its case.
            pub(crate) fn read(text: &str) -> Self {
                $(
                    if text.eq_ignore_ascii_case($word) $(|| text.eq_ignore_ascii_case($other))* {
                        return Self::$variant;
                    }
                )+
                Self::Unknown(text.to_owned())
            }
        }

        impl $crate::word::Word for $name {
            fn read(text: &str) -> Self {
                Self::read(text)
            }

            fn is_known(&self) -> bool {
                !matches!(self, Self::Unknown(_))
            }

            fn word(&self) -> &str {
                self.as_str()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}", self.as_str().escape_debug())
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

pub(crate) use words;

/// What all such enums have in common.
pub(crate) trait Word: Sized {
    /// Reads a word, whatever its case.
    fn read(text: &str) -> Self;
    /// Tells whether the standard has it.
    fn is_known(&self) -> bool;
    /// Returns the word as it is written.
    fn word(&self) -> &str;
}
